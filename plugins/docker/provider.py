"""The provider apart from the wire: settings, the engine, and a context for each operation."""

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from plugins.docker.build.cancellation import Cancellation
from plugins.docker.connection_settings import ConnectionSettings
from plugins.docker.context import Context
from plugins.docker.engine import Engine
from plugins.docker.errors import ResourceError
from plugins.docker.redaction import Redaction


class Log(Protocol):
    """Where lines for the user go."""

    def status(self, urn: str, text: str) -> None:
        """Show a line until the next one."""
        ...

    def info(self, urn: str, text: str) -> None:
        """Keep a line."""
        ...

    def warning(self, urn: str, text: str) -> None:
        """Keep a warning."""
        ...


@dataclass(frozen=True)
class Connection:
    """An engine that has answered: what the handlers see of it, and the SDK's client."""

    engine: Engine
    client: Any = None


Connect = Callable[[ConnectionSettings], Connection]
"""Reaches the engine; raises ResourceError with a complete message."""


def connect(settings: ConnectionSettings) -> Connection:
    """Reach the engine that the settings point at.

    Raises
    ------
    ResourceError
        Raised when none answers.
    """
    # Imported late: the SDK takes as long as all else, and Pulumi waits for our port.
    from plugins.docker.connection import EngineUnreachableError
    from plugins.docker.connection import connect as reach
    from plugins.docker.engine_address import candidate_addresses
    from plugins.docker.sdk_engine import SdkEngine

    try:
        client = reach(settings)
    except EngineUnreachableError as error:
        raise ResourceError(str(error)) from error
    address = candidate_addresses(settings.host, settings.context, os.environ, Path.home())[0]
    return Connection(SdkEngine(client, address.url), client)


class Provider:
    """State of one running provider.

    Parameters
    ----------
    log
        Where lines for the user go.
    connect
        Reaches the engine.
    """

    def __init__(self, log: Log, connect: Connect = connect) -> None:
        self._log = log
        self._connect = connect
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self.settings = ConnectionSettings()
        self.cancellation = Cancellation()

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Take the provider's settings and reach the engine, so that a silent one stops all.

        Raises
        ------
        ResourceError
            Raised when no engine answers.
        """
        self.settings = ConnectionSettings.load(settings, os.environ)
        self.connection()

    def connection(self) -> Connection:
        """The engine, reached once.

        Raises
        ------
        ResourceError
            Raised when no engine answers.
        """
        with self._lock:
            if self._connection is None:
                self._connection = self._connect(self.settings)
            return self._connection

    def context(self, urn: str, secrets: Iterable[str]) -> Context:
        """What a handler may use for one operation; its lines come out without the secrets."""
        redact = Redaction(secrets)
        connection = self.connection()
        return Context(
            urn=urn,
            engine=connection.engine,
            client=connection.client,
            settings=self.settings,
            cancellation=self.cancellation,
            show_status=lambda text: self._log.status(urn, redact(text)),
            show_info=lambda text: self._log.info(urn, redact(text)),
            show_warning=lambda text: self._log.warning(urn, redact(text)),
        )

    def cancel(self) -> None:
        """End what is running."""
        self.cancellation.cancel()
