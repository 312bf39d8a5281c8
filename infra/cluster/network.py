"""The networks on which the services of a cluster find each other, over all its nodes."""

import pulumi
import pulumi_docker as docker

from infra.naming import Naming


class OverlayNetworks(pulumi.ComponentResource):
    """Who can reach whom, as `infra/resources/network.py` has it for one engine.

    Parameters
    ----------
    egress
        Another one with a way out, for what has to reach other machines.
    encrypted
        Encrypt what goes from node to node.
    """

    edge: pulumi.Output[str]
    """Id of the network; services have to name it so."""
    app: pulumi.Output[str]
    data: pulumi.Output[str]
    egress: pulumi.Output[str] | None
    """None if nothing has to get out."""
    app_name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        naming: Naming,
        *,
        egress: bool,
        encrypted: bool,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("devportal:infra:OverlayNetworks", name, None, opts)
        self._naming, self._encrypted = naming, encrypted
        app = self._create("app-network", internal=True)
        self.app, self.app_name = app.id, app.name
        self.edge = self._create("edge-network").id
        self.data = self._create("data-network", internal=True).id
        self.egress = self._create("egress-network").id if egress else None
        self.register_outputs({})

    def of_portal(self, *, migrates: bool) -> list[pulumi.Output[str]]:
        """Those of the portal's tasks; one that migrates reaches the stores alone."""
        out = [self.egress] if self.egress and not migrates else []
        return [self.app, self.data, *out]

    def _create(self, role: str, *, internal: bool = False) -> docker.Network:
        return docker.Network(
            role,
            name=self._naming.physical(role),
            driver="overlay",
            internal=internal,
            options={"encrypted": ""} if self._encrypted else None,
            labels=self._naming.label_list(role),
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
