"""The engine over the Docker SDK's low-level client."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

import requests
from docker.errors import APIError

from plugins.docker.connection import reason_of
from plugins.docker.engine import EngineError, EngineSilentError, Json

_P = ParamSpec("_P")
_R = TypeVar("_R")
# Logs that go into a message or the state; a container may have written gigabytes.
_ALL_LINES = "all"


def _translated(call: Callable[_P, _R]) -> Callable[_P, _R]:
    """Let a method raise EngineError and EngineSilentError instead of the SDK's errors."""

    @functools.wraps(call)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return call(*args, **kwargs)
        except APIError as error:
            raise EngineError(error.status_code or 500, _explanation(error)) from error
        except requests.RequestException as error:
            address = getattr(args[0], "address", "")
            raise EngineSilentError(
                f"docker engine at {address}: should answer (got: {reason_of(error)}). "
                "Start it, or set DOCKER_HOST or docker:host."
            ) from error

    return run


class SdkEngine:
    """Implements `plugins.docker.engine.Engine`.

    Parameters
    ----------
    client
        The Docker SDK's client.
    address
        Where the engine is, for messages.
    """

    def __init__(self, client: Any, address: str) -> None:
        self._api = client.api
        self.address = address

    @property
    def api_version(self) -> tuple[int, int]:
        """Version of the API spoken with the engine."""
        major, _, minor = str(self._api._version).partition(".")
        return int(major), int(minor)

    @_translated
    def create_container(self, name: str, platform: str, config: Json) -> str:
        """Create a container and return its id."""
        answer = self._api.create_container_from_config(config, name, platform or None)
        return answer["Id"]

    def inspect_container(self, container_id: str) -> Json | None:
        """All about a container."""
        return self._found("/containers/{0}/json", container_id)

    @_translated
    def list_containers(self, filters: Mapping[str, Any]) -> list[Json]:
        """Short descriptions of containers."""
        return self._api.containers(all=True, filters=dict(filters))

    @_translated
    def start_container(self, container_id: str) -> None:
        """Start a container."""
        self._api.start(container_id)

    def update_container(self, container_id: str, changes: Json) -> None:
        """Change limits or the restart policy of a container."""
        self._post("/containers/{0}/update", changes, container_id)

    @_translated
    def stop_container(self, container_id: str, grace_seconds: int) -> None:
        """Send the stop signal, and SIGKILL after the grace time."""
        self._api.stop(container_id, timeout=grace_seconds)

    @_translated
    def remove_container(self, container_id: str, *, with_volumes: bool) -> None:
        """Kill and remove a container."""
        self._api.remove_container(container_id, v=with_volumes, force=True)

    @_translated
    def read_logs(self, container_id: str, lines: int | None) -> str:
        """The last lines of a container's output, or all of it."""
        tail = _ALL_LINES if lines is None else lines
        output = self._api.logs(container_id, stdout=True, stderr=True, tail=tail)
        return output.decode(errors="replace")

    @_translated
    def upload(self, container_id: str, archive: bytes) -> None:
        """Unpack a tar archive at a container's root."""
        self._api.put_archive(container_id, "/", archive)

    def connect_network(self, network_id: str, container_id: str, endpoint: Json) -> None:
        """Put a container into a network."""
        body = {"Container": container_id, "EndpointConfig": endpoint}
        self._post("/networks/{0}/connect", body, network_id)

    def create_network(self, config: Json) -> str:
        """Create a network and return its id."""
        return self._post("/networks/create", config).json()["Id"]

    def inspect_network(self, network_id: str) -> Json | None:
        """All about a network."""
        return self._found("/networks/{0}", network_id)

    @_translated
    def remove_network(self, network_id: str) -> None:
        """Remove a network."""
        self._api.remove_network(network_id)

    def create_volume(self, config: Json) -> Json:
        """Create a volume, or return the one that has its name."""
        return self._post("/volumes/create", config).json()

    def inspect_volume(self, name: str) -> Json | None:
        """All about a volume."""
        return self._found("/volumes/{0}", name)

    @_translated
    def remove_volume(self, name: str) -> None:
        """Remove a volume."""
        self._api.remove_volume(name, force=True)

    def inspect_image(self, name: str) -> Json | None:
        """All about an image that the engine has."""
        try:
            return self._inspect_image(name)
        except EngineError as error:
            if error.status == requests.codes.not_found:
                return None
            raise

    @_translated
    def _inspect_image(self, name: str) -> Json:
        return self._api.inspect_image(name)

    def _found(self, path: str, name: str) -> Json | None:
        try:
            return self._get(path, name)
        except EngineError as error:
            if error.status == requests.codes.not_found:
                return None
            raise

    @_translated
    def _get(self, path: str, name: str) -> Json:
        return self._api._result(self._api._get(self._api._url(path, name)), json=True)

    @_translated
    def _post(self, path: str, body: Json, *names: str) -> requests.Response:
        response = self._api._post_json(self._api._url(path, *names), data=body)
        self._api._raise_for_status(response)
        return response


def _explanation(error: APIError) -> str:
    text = error.explanation or str(error)
    return text.decode(errors="replace") if isinstance(text, bytes) else str(text).strip()
