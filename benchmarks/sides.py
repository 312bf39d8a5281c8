"""The two sides: a stack of ours, and a Compose project equal to it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docker.models.containers import Container

from benchmarks.compose_model import describe_project
from benchmarks.harness.portal_stack import PortalStack

_SHOWN_CHARACTERS = 3000


class Compose:
    """A Compose project with the images, limits, networks and health checks of a stack of ours.

    Parameters
    ----------
    edit
        Changes the model before it is used.
    """

    def __init__(
        self,
        binary: Path,
        stack: PortalStack,
        edit: Callable[[dict[str, Any]], None] = lambda model: None,
    ) -> None:
        self._name = f"{stack.name}-compose"
        self._client = stack.client
        self._file = stack.folder / "compose.json"
        self._command = [str(binary), "-f", str(self._file)]
        self._model = describe_project(self._name, stack.containers())
        edit(self._model)

    def up(self) -> None:
        self._file.write_text(json.dumps(self._model))
        _run([*self._command, "up", "--wait", "--detach"])

    def destroy(self) -> None:
        _run([*self._command, "down", "--volumes"])

    def change_app(self, **changes: Any) -> None:
        """Bring the portal's replicas to other settings, named as ours."""
        app = self._model["services"]["app"]
        if "replicas" in changes:
            app["scale"] = changes["replicas"]
        if "image" in changes:
            app["image"] = changes["image"]
        if "version" in changes:
            kept = [line for line in app["environment"] if not line.startswith("APP_VERSION=")]
            app["environment"] = [*kept, f"APP_VERSION={changes['version']}"]
        self.up()

    def containers(self, role: str) -> list[Container]:
        labels = [
            f"com.docker.compose.project={self._name}",
            f"com.docker.compose.service={role}",
        ]
        return self._client.containers.list(filters={"label": labels}, ignore_removed=True)

    def query(self, sql: str) -> str:
        """What the database answers its superuser."""
        [postgres] = self.containers("postgres")
        code, output = postgres.exec_run(["psql", "-U", "postgres", "-d", "devportal", "-Atc", sql])
        assert isinstance(output, bytes)
        if code:
            raise SystemExit(f"{sql}: exit code {code}\n{output.decode()}")
        return output.decode()


Side = PortalStack | Compose


def published_port(side: Side, role: str, internal: str) -> int:
    """The host's port that leads to a container's."""
    [container] = side.containers(role)
    [binding] = container.ports[internal] or []
    return int(binding["HostPort"])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(
            f"{' '.join(command)}: exit code {done.returncode}\n"
            f"{done.stdout[-_SHOWN_CHARACTERS:]}{done.stderr[-_SHOWN_CHARACTERS:]}"
        )
