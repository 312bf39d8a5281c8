"""The `docker` command, for what has to know the engine before any Python environment exists.

It finds the engine by itself: DOCKER_HOST, DOCKER_CONTEXT, the current context, TLS and ssh.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolchain.setup.processes import ask

DEFAULT_SOCKET = "unix:///var/run/docker.sock"


@dataclass(frozen=True)
class DockerCli:
    """Docker commands in the user's environment."""

    environ: Mapping[str, str]

    @property
    def is_installed(self) -> bool:
        """Whether there is a `docker` command at all."""
        return shutil.which("docker", path=self.environ.get("PATH")) is not None

    def ask(self, *arguments: str) -> str | None:
        """What a command prints; None when it fails or takes too long."""
        return ask("docker", *arguments, environ=self.environ)

    def version(self) -> str | None:
        """Version of the engine, such as `20.10.24`; None when it does not answer."""
        return self.ask("version", "--format", "{{.Server.Version}}") or None

    def info(self) -> dict[str, Any]:
        """What the engine reports of itself; empty when it does not answer."""
        info: dict[str, Any] = json.loads(self.ask("info", "--format", "{{json .}}") or "{}")
        return {} if info.get("ServerErrors") else info

    def address(self) -> str:
        """Where the engine should be, such as `unix:///var/run/docker.sock`."""
        asked = ("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
        given = self.environ.get("DOCKER_HOST") or self.environ.get("DOCKER_CONTEXT")
        none = "an unknown context" if self.is_installed else DEFAULT_SOCKET
        return self.ask(*asked) or given or none

    def has_images(self, names: Sequence[str]) -> bool:
        """Whether the engine holds every one of these images."""
        return self.ask("image", "inspect", "--format", "{{.Id}}", *names) is not None


def security_options(info: Mapping[str, Any]) -> set[str]:
    """What the engine reports of how it shuts its containers in, such as `userns`, `rootless`."""
    options = info.get("SecurityOptions") or ()
    return {option.split(",")[0].removeprefix("name=") for option in options}
