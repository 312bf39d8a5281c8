"""Functions of the package, such as `get_network`."""

from typing import Any

from plugins.docker.check import Failure
from plugins.docker.errors import ResourceError
from plugins.docker.functions.catalog import FUNCTIONS
from plugins.docker.functions.lookup import Lookup
from plugins.docker.provider import Provider
from plugins.docker.registry_auth import RegistryCredentials
from plugins.docker.values import Values


def invoke(provider: Provider, token: str, args: Values) -> tuple[list[Failure], dict[str, Any]]:
    """Mistakes in the arguments, or the answer.

    Raises
    ------
    ResourceError
        Raised when the function is unknown or finds nothing.
    """
    function = FUNCTIONS.get(token)
    if function is None:
        raise ResourceError(f"{token}: is not a function of this provider")
    failures = [Failure(path, reason) for path, reason in function.check(args)]
    if failures:
        return failures, {}
    credentials = RegistryCredentials(provider.settings.registry_auth)
    return [], function.answer(Lookup(provider.connection().client, credentials), args)
