"""The docker provider of a stack, on the engine that everything else of it uses."""

import os
from collections.abc import Sequence

import pulumi_docker as docker
from pulumi.runtime.config import CONFIG, get_config_env

from infra.engine.address import EngineAddress, resolve_engine


def program_engine() -> EngineAddress:
    """The engine of the stack that the program runs for.

    Raises
    ------
    EngineAddressError
        Raised when its address cannot be used.
    """
    return resolve_engine({**get_config_env(), **CONFIG.get()}, os.environ)


def engine_provider(
    address: EngineAddress, logins: Sequence[docker.ProviderRegistryAuthArgs] = ()
) -> docker.Provider:
    """An explicit provider: the default one would resolve the address by rules of its own.

    Parameters
    ----------
    logins
        What services pull their images with.
    """
    return docker.Provider(
        "docker",
        host=address.host,
        # Not None: the plugin would take DOCKER_CONTEXT and DOCKER_CERT_PATH instead.
        context="",
        cert_path=address.cert_path or "",
        registry_auth=list(logins) or None,
    )
