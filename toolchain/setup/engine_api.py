"""A few questions to a Docker engine over its HTTP API, with the standard library alone."""

import http.client
import json
import subprocess
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from toolchain.setup.engine_address import EngineAddress
from toolchain.setup.engine_http import make_connection

_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True)
class EngineApi:
    """Asks one engine; every answer is None or False when the engine does not answer."""

    address: EngineAddress

    def version(self) -> str | None:
        """Version of the engine, such as `20.10.24`."""
        if self.address.host.startswith("ssh://"):
            return self._version_over_ssh()
        answer = self.get("/version")
        return None if answer is None else str(answer["Version"])

    def has_image(self, name: str) -> bool:
        """Whether the engine holds an image of this name."""
        return self.get(f"/images/{quote(name)}/json") is not None

    def reaches_registry(self, image: str) -> bool:
        """Whether the engine itself can read an image's manifest from its registry."""
        return self.get(f"/distribution/{quote(image)}/json") is not None

    def get(self, path: str) -> Any:
        """The decoded answer; None for anything but success."""
        try:
            connection = make_connection(self.address, timeout_seconds=_TIMEOUT_SECONDS)
        except (OSError, ValueError):
            return None
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
            return json.loads(body) if response.status == http.client.OK else None
        except (OSError, ValueError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _version_over_ssh(self) -> str | None:
        parts = urlsplit(self.address.host)
        user = f"{parts.username}@" if parts.username else ""
        port = ["-p", str(parts.port)] if parts.port else []
        options = ["-o", "BatchMode=yes", "-o", f"ConnectTimeout={_TIMEOUT_SECONDS:.0f}"]
        asked = ["docker", "version", "--format", "'{{.Server.Version}}'"]
        try:
            done = subprocess.run(
                ["ssh", *options, *port, f"{user}{parts.hostname}", *asked],
                capture_output=True,
                text=True,
                timeout=4 * _TIMEOUT_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() or None
