"""What a resource handler may use while it works."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from plugins.docker.build.cancellation import Cancellation
from plugins.docker.connection_settings import ConnectionSettings
from plugins.docker.engine import Engine


@dataclass(frozen=True, kw_only=True)
class Context:
    """The engine, the user's ear and the user's Ctrl-C, for one operation on one resource.

    Attributes
    ----------
    urn
        The resource in Pulumi's terms.
    engine
        Containers, networks and volumes of the Docker engine.
    client
        The Docker SDK's client, for what `engine` does not cover.
    settings
        Settings of the provider, registry credentials among them.
    cancellation
        Set when the user cancels; `wait` of it ends then.
    show_status
        Shows a line beside the resource until the next one.
    show_info, show_warning
        Keep a line among the diagnostics of the resource. Secrets are taken out of all three.
    """

    urn: str
    engine: Engine
    client: Any = None
    settings: ConnectionSettings = field(default_factory=ConnectionSettings)
    cancellation: Cancellation = field(default_factory=Cancellation)
    show_status: Callable[[str], None] = lambda text: None
    show_info: Callable[[str], None] = lambda text: None
    show_warning: Callable[[str], None] = lambda text: None
