"""The networks on which a stack's containers find each other."""

import pulumi
import pulumi_docker as docker

from infra.naming import Naming


class Networks(pulumi.ComponentResource):
    """Who can reach whom: clients the edge, the edge the portal, the portal the data.

    In development all three are one bridge (the plan's `devportal-network`), because the stores
    publish ports there, which a container on an internal network cannot.

    Parameters
    ----------
    separate
        Three networks, of which the edge alone has a way in and out.
    egress
        Another one with a way out, for what has to reach other machines.
    """

    edge: pulumi.Output[str]
    """Physical name, to be passed on as an output: a literal would hide the dependency."""
    app: pulumi.Output[str]
    data: pulumi.Output[str]
    egress: pulumi.Output[str] | None
    """None if nothing has to get out, or everything can."""

    def __init__(
        self,
        name: str,
        naming: Naming,
        *,
        separate: bool,
        egress: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("devportal:infra:Networks", name, None, opts)
        if separate:
            self.edge = self._create("edge-network", naming, "edge-network")
            self.app = self._create("app-network", naming, "app-network", internal=True)
            self.data = self._create("data-network", naming, "data-network", internal=True)
        else:
            self.edge = self.app = self.data = self._create("devportal-network", naming, "network")
        self.egress = (
            self._create("egress-network", naming, "egress-network")
            if separate and egress
            else None
        )
        self.register_outputs({})

    def _create(
        self, name: str, naming: Naming, role: str, *, internal: bool = False
    ) -> pulumi.Output[str]:
        network = docker.Network(
            name,
            name=naming.physical(role),
            driver="bridge",
            internal=internal,
            labels=[
                docker.NetworkLabelArgs(label=label, value=value)
                for label, value in naming.labels(role).items()
            ],
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        return network.name
