"""What the builder asks of a Docker engine: look, import, build, tag."""

import http.client
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Protocol
from urllib.parse import quote, urlencode

from toolchain.setup.engine_address import EngineAddress
from toolchain.setup.user_namespaces import maps_users
from toolchain.images.build_stream import read_build, read_import
from toolchain.images.connection import connect_engine
from toolchain.images.errors import ImagesError


class Engine(Protocol):
    """The calls the builder makes; `HttpEngine` is the real one."""

    def architecture(self) -> str:
        """Architecture of the engine in Debian's and Go's word, such as `amd64`."""
        ...

    def image_size_bytes(self, name: str) -> int | None:
        """Size of an image; None if the engine has none of this name."""
        ...

    def import_root(self, archive: IO[bytes], changes: Sequence[str]) -> str:
        """Make an image of one layer from a tar archive; returns its id."""
        ...

    def build(
        self,
        role: str,
        context: bytes,
        *,
        arguments: Mapping[str, str],
        labels: Mapping[str, str],
        on_line: Callable[[str], None],
    ) -> str:
        """Build the Dockerfile of a tar archive; returns the image's id."""
        ...

    def tag(self, identity: str, name: str) -> None:
        """Give an image a name, taking it from whichever image had it."""
        ...


@dataclass(frozen=True)
class HttpEngine:
    """An engine spoken to over its HTTP API, as `Engine` describes; needs no `docker` command."""

    address: EngineAddress

    def architecture(self) -> str:
        with self._request("GET", "/version") as response:
            return str(json.load(response)["Arch"])

    def image_size_bytes(self, name: str) -> int | None:
        with self._request("GET", f"/images/{quote(name)}/json", missing_is_fine=True) as response:
            answer = json.load(response)
            return int(answer["Size"]) if response.status == http.client.OK else None

    def import_root(self, archive: IO[bytes], changes: Sequence[str]) -> str:
        query = urlencode({"fromSrc": "-", "changes": list(changes)}, doseq=True)
        with self._request("POST", f"/images/create?{query}", archive) as response:
            return read_import(response)

    def build(
        self,
        role: str,
        context: bytes,
        *,
        arguments: Mapping[str, str],
        labels: Mapping[str, str],
        on_line: Callable[[str], None],
    ) -> str:
        query = urlencode(
            {
                # BuildKit: it builds stages side by side and leaves no image of a stage behind.
                "version": "2",
                "networkmode": self._build_network(),
                "buildargs": json.dumps(dict(arguments)),
                "labels": json.dumps(dict(labels)),
            }
        )
        with self._request("POST", f"/build?{query}", context) as response:
            return read_build(response, role, on_line)

    def tag(self, identity: str, name: str) -> None:
        repository, _, tag = name.rpartition(":")
        query = urlencode({"repo": repository, "tag": tag})
        with self._request("POST", f"/images/{quote(identity)}/tag?{query}") as response:
            response.read()

    def _build_network(self) -> str:
        """The host's where that may be: what this machine reaches, a build reaches.

        That is so for a proxy on its loopback too. In a user namespace, no container may mount
        `/sys` of a network that is the host's.
        """
        with self._request("GET", "/info") as response:
            return "default" if maps_users(json.load(response)) else "host"

    @contextmanager
    def _request(
        self, method: str, path: str, body: Any = None, *, missing_is_fine: bool = False
    ) -> Iterator[http.client.HTTPResponse]:
        connection = connect_engine(self.address)
        try:
            connection.request(method, path, body, {"Content-Type": "application/x-tar"})
            response = connection.getresponse()
            missing = missing_is_fine and response.status == http.client.NOT_FOUND
            if response.status >= http.client.BAD_REQUEST and not missing:
                raise ImagesError(_describe_refusal(method, path, response))
            yield response
        except (http.client.HTTPException, OSError) as error:
            raise ImagesError(
                f"docker engine: should answer {method} {path.partition('?')[0]} "
                f"(got: {error}). See its log, and run this again."
            ) from None
        finally:
            connection.close()


def _describe_refusal(method: str, path: str, response: http.client.HTTPResponse) -> str:
    text = response.read().decode(errors="replace")
    try:
        text = json.loads(text)["message"]
    except (ValueError, KeyError, TypeError):
        text = text.strip()
    return (
        f"docker engine: should accept {method} {path.partition('?')[0]} "
        f"(got {response.status}: {text}). Run this again, or see the engine's log."
    )
