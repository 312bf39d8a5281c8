"""The registry of a cluster: who the stack is there, for the engine and for every node."""

from collections.abc import Sequence

import pulumi
import pulumi_docker as docker

from infra.engine.address import EngineAddress
from infra.engine.registry_login import RegistryLogin
from infra.settings import ClusterSettings

LOGIN_LABEL = "devportal.registry-login"
"""On services: what the provider hands over beside them is no change of theirs."""


def node_logins(cluster: ClusterSettings) -> Sequence[docker.ProviderRegistryAuthArgs]:
    """What the docker provider hands to Swarm, which keeps it with each service for every node.

    The word that a service itself has for it, `auth`, would replace the service for another
    password.
    """
    if cluster.registry_password is None:
        return []
    password = cluster.registry_password.get_secret_value()
    return [
        docker.ProviderRegistryAuthArgs(
            address=_server_of(cluster),
            username=cluster.registry_user,
            password=pulumi.Output.secret(password),
        )
    ]


def log_in(
    cluster: ClusterSettings, engine: EngineAddress, opts: pulumi.ResourceOptions
) -> RegistryLogin | None:
    """The stack's user, who has to get in; None for a registry that asks for no password."""
    if cluster.registry_user is None or cluster.registry_password is None:
        return None
    return RegistryLogin(
        "registry",
        server=_server_of(cluster),
        user=cluster.registry_user,
        password=cluster.registry_password.get_secret_value(),
        engine=engine,
        opts=opts,
    )


def _server_of(cluster: ClusterSettings) -> str:
    return str(cluster.registry).partition("/")[0]
