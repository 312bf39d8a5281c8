"""The networks on which a stack's containers find each other."""

from collections.abc import Collection

import pulumi
import pulumi_docker as docker

from infra.naming import Naming

_STORES = ("postgres", "redis")


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
    outside
        Which of the stores, `postgres` and `redis`, are on other machines: they are found by the
        way out, and the third network is left out where both are.
    """

    edge: pulumi.Output[str]
    """Physical name, to be passed on as an output: a literal would hide the dependency."""
    app: pulumi.Output[str]
    postgres: pulumi.Output[str]
    redis: pulumi.Output[str]
    """Where these stores are found."""
    egress: pulumi.Output[str] | None
    """None if nothing has to get out, or everything can."""

    def __init__(
        self,
        name: str,
        naming: Naming,
        *,
        separate: bool,
        egress: bool,
        outside: Collection[str],
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("devportal:infra:Networks", name, None, opts)
        self._naming = naming
        self.egress = None
        if separate:
            self.edge = self._create("edge-network")
            self.app = self._create("app-network", internal=True)
            where: dict[bool, pulumi.Output[str]] = {}
            if len(outside) < len(_STORES):
                where[False] = self._create("data-network", internal=True)
            if egress or outside:
                self.egress = self._create("egress-network")
            if self.egress and outside:
                where[True] = self.egress
            self.postgres, self.redis = (where[store in outside] for store in _STORES)
            self._stores = list(where.values())
        else:
            self.edge = self.app = self._create("network", name="devportal-network")
            self.postgres = self.redis = self.app
            self._stores = []
        self.register_outputs({})

    def of_portal(self, *, migrates: bool) -> list[pulumi.Output[str]]:
        """Those of the portal's containers; one that migrates reaches the stores alone."""
        found = [self.app, *self._stores]
        # Outputs cannot be compared.
        if self.egress and not migrates and all(one is not self.egress for one in found):
            found.append(self.egress)
        return found

    def _create(
        self, role: str, *, name: str | None = None, internal: bool = False
    ) -> pulumi.Output[str]:
        network = docker.Network(
            name or role,
            name=self._naming.physical(role),
            driver="bridge",
            internal=internal,
            labels=self._naming.label_list(role),
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        return network.name
