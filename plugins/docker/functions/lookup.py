"""What every function works with."""

from dataclasses import dataclass
from typing import Any

from plugins.docker.errors import ResourceError
from plugins.docker.registry_auth import RegistryCredentials


class LookupFailed(ResourceError):
    """What was asked for is not there; the message names it and says what to do."""


@dataclass(frozen=True)
class Lookup:
    """The Docker SDK's client, and the credentials for registries."""

    client: Any
    credentials: RegistryCredentials
