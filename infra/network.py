"""The network on which a stack's containers find each other."""

import pulumi
import pulumi_docker as docker

from infra.naming import Naming


class Network(pulumi.ComponentResource):
    """One bridge network of the stack's own (the plan's `devportal-network`)."""

    name: pulumi.Output[str]
    """Physical name, to be passed on as an output: a literal would hide the dependency."""

    def __init__(
        self, name: str, naming: Naming, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("devportal:infra:Network", name, None, opts)
        network = docker.Network(
            "devportal-network",
            name=naming.physical("network"),
            driver="bridge",
            labels=[
                docker.NetworkLabelArgs(label=label, value=value)
                for label, value in naming.labels("network").items()
            ],
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        self.name = network.name
        self.register_outputs({"name": self.name})
