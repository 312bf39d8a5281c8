"""The part of the Docker engine's API that containers, networks and volumes need."""

from collections.abc import Mapping
from typing import Any, Protocol

Json = dict[str, Any]
"""An object of the engine's API, its keys spelled as there."""


class EngineError(Exception):
    """The engine refused a call.

    Parameters
    ----------
    status
        HTTP status: 404 missing, 409 conflict, 403 forbidden, 500 for most else.
    explanation
        The engine's own words; they may quote settings, secrets among them.
    """

    def __init__(self, status: int, explanation: str) -> None:
        super().__init__(explanation)
        self.status = status
        self.explanation = explanation


class EngineSilentError(Exception):
    """The engine stopped answering; the message is complete."""


class Engine(Protocol):
    """One Docker engine. Every call raises EngineError or EngineSilentError.

    `inspect_*` return None for what does not exist.
    """

    @property
    def api_version(self) -> tuple[int, int]:
        """Version of the API spoken with it, such as (1, 41)."""
        ...

    def create_container(self, name: str, platform: str, config: Json) -> str:
        """Create a container and return its id."""
        ...

    def inspect_container(self, container_id: str) -> Json | None:
        """All about a container."""
        ...

    def list_containers(self, filters: Mapping[str, Any]) -> list[Json]:
        """Short descriptions of containers, stopped ones among them."""
        ...

    def start_container(self, container_id: str) -> None:
        """Start a container."""
        ...

    def update_container(self, container_id: str, changes: Json) -> None:
        """Change limits or the restart policy of a container."""
        ...

    def stop_container(self, container_id: str, grace_seconds: int) -> None:
        """Send the stop signal, and SIGKILL after the grace time."""
        ...

    def remove_container(self, container_id: str, *, with_volumes: bool) -> None:
        """Kill and remove a container, its anonymous volumes too if asked."""
        ...

    def read_logs(self, container_id: str, lines: int | None) -> str:
        """The last lines of a container's output, or all of it."""
        ...

    def upload(self, container_id: str, archive: bytes) -> None:
        """Unpack a tar archive at a container's root."""
        ...

    def connect_network(self, network_id: str, container_id: str, endpoint: Json) -> None:
        """Put a container into a network."""
        ...

    def create_network(self, config: Json) -> str:
        """Create a network and return its id."""
        ...

    def inspect_network(self, network_id: str) -> Json | None:
        """All about a network."""
        ...

    def remove_network(self, network_id: str) -> None:
        """Remove a network."""
        ...

    def create_volume(self, config: Json) -> Json:
        """Create a volume, or return the one that has its name."""
        ...

    def inspect_volume(self, name: str) -> Json | None:
        """All about a volume."""
        ...

    def remove_volume(self, name: str) -> None:
        """Remove a volume."""
        ...

    def inspect_image(self, name: str) -> Json | None:
        """All about an image that the engine has."""
        ...
