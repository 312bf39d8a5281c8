"""One stack of the portal, driven through Pulumi's Automation API as a user would drive it."""

import itertools
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
from docker.models.containers import Container
from pulumi import automation

from benchmarks.harness.machine import TEST_STACK_PREFIX, remove_stack_objects, tool_environment
from infra.naming import container_labels
from infra.resources.build_context import ROOT

_COUNTER = itertools.count()
_COPIED = (
    "Pulumi.yaml",
    "__main__.py",
    "requirements.txt",
    ".dockerignore",
    "infra",
    "app",
    "migrations",
    "docker",
    "operations",
    "policy",
    "toolchain",
    "Makefile",
    "activate",
    "requirements-dev.txt",
)
_DIFFERING = (automation.OpType.UPDATE, automation.OpType.DELETE)
DEVELOPMENT: dict[str, Any] = {
    "environment": "development",
    "devtools": True,
    "retain_data": False,
    "ports": {"portal": 0, "postgres": 0, "redis": 0, "adminer": 0, "redis_commander": 0},
    "app": {"reload": True, "debug": True, "seed": True, "anonymous_reads": True},
}


@dataclass
class PortalStack:
    """A development stack in a copy of the project, with free ports and a state of its own.

    Parameters
    ----------
    engine
        Settings by full key that name an engine, such as `docker:host`.
    variables
        Laid over the environment of every Pulumi command.
    """

    folder: Path
    client: docker.DockerClient
    settings: dict[str, Any] = field(default_factory=lambda: dict(DEVELOPMENT))
    name: str = field(default_factory=lambda: f"{TEST_STACK_PREFIX}{os.getpid()}-{next(_COUNTER)}")
    variables: Mapping[str, str] = field(default_factory=dict)
    engine: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.project = self.folder / "project"
        copy_project(self.project)
        (self.folder / "state").mkdir()
        self.environment = {
            **tool_environment(),
            "PULUMI_BACKEND_URL": f"file://{self.folder}/state",
            "PULUMI_CONFIG_PASSPHRASE": "only-for-this-test",
            **self.variables,
        }
        self.environment.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
        self.log = self.folder / "pulumi.log"
        self.configure()
        os.environ["PATH"] = self.environment["PATH"]
        self.stack = automation.create_or_select_stack(
            self.name,
            work_dir=str(self.project),
            opts=automation.LocalWorkspaceOptions(env_vars=self.environment),
        )

    def configure(self, **changes: Any) -> None:
        """Write the stack's settings, with `changes` laid over what they were."""
        self.settings.update(changes)
        path = self.project / f"Pulumi.{self.name}.yaml"
        kept = [
            line
            for line in (path.read_text().splitlines() if path.exists() else [])
            if line.startswith("encryptionsalt:")
        ]
        config = {f"devportal:{key}": value for key, value in self.settings.items()}
        config |= self.engine
        path.write_text("\n".join([*kept, f"config: {json.dumps(config)}"]) + "\n")

    def up(self, **options: Any) -> dict[str, int]:
        """Run `pulumi up`; the number of resources by what was done to them."""
        result = self.stack.up(on_output=self._record, **options)
        return _by_name(result.summary.resource_changes or {})

    def preview(self, **options: Any) -> dict[str, int]:
        """Run `pulumi preview`; the number of resources by what would be done to them."""
        result = self.stack.preview(on_output=self._record, **options)
        return _by_name(result.change_summary)

    def find_drift(self) -> dict[str, str]:
        """Run `pulumi refresh`; for each resource that differs, `update` or `delete`, by name."""
        found: dict[str, str] = {}

        def note(event: automation.EngineEvent) -> None:
            if (done := event.res_outputs_event) and done.metadata.op in _DIFFERING:
                found[done.metadata.urn.rpartition("::")[2]] = done.metadata.op.value

        self.stack.refresh(on_output=self._record, on_event=note)
        return found

    def refresh(self) -> dict[str, int]:
        """Run `pulumi refresh`; the number of resources by how the engine's truth differs."""
        result = self.stack.refresh(on_output=self._record)
        return _by_name(result.summary.resource_changes or {})

    def destroy(self) -> None:
        self.stack.destroy(on_output=self._record)

    def output(self, name: str) -> Any:
        return self.stack.outputs()[name].value

    def container(self, role: str) -> Container:
        """The one container of a role."""
        [found] = self.containers(role)
        return found

    def containers(self, role: str | None = None) -> list[Container]:
        return self.client.containers.list(
            all=True, filters={"label": container_labels(self.name, role)}, ignore_removed=True
        )

    def export(self) -> list[dict[str, Any]]:
        """The resources in the stack's state."""
        deployment = self.stack.export_stack().deployment
        assert deployment is not None
        return deployment["resources"]

    def published(self, role: str) -> tuple[str, int]:
        """Host address and port; a port the engine chose itself is another after a restart."""
        [[binding]] = filter(None, self.container(role).ports.values())
        return binding["HostIp"], int(binding["HostPort"])

    def image_id(self, role: str) -> str:
        """Id of the image that a role's running containers have; a failed one keeps its own."""
        running = (c for c in self.containers(role) if c.status == "running")
        [found] = {str(container.attrs["Image"]) for container in running}
        return found

    def run_in(self, role: str, *command: str) -> str:
        """Run a command in a container; its output.

        Raises
        ------
        AssertionError
            Raised with the output if the command fails.
        """
        code, output = self.container(role).exec_run(list(command))
        assert isinstance(output, bytes)
        assert code == 0, f"{' '.join(command)} in {role}: exit code {code}\n{output.decode()}"
        return output.decode()

    def query(self, sql: str) -> str:
        """One value from the database, asked by its superuser."""
        return self.run_in("postgres", "psql", "-U", "postgres", "-d", "devportal", "-Atc", sql)

    def remove(self) -> None:
        """Destroy the stack, and whatever a failed test made `destroy` stumble over."""
        try:
            self.stack.cancel()
            self.destroy()
        except automation.CommandError:
            self.describe(print)
        finally:
            remove_stack_objects(self.client, self.name)
            shutil.rmtree(self.folder, ignore_errors=True)

    def describe(self, write: Callable[[str], None]) -> None:
        """Write what helps to understand a failure: Pulumi's output, each container's end."""
        if self.log.exists():
            write(self.log.read_text()[-8000:])
        for container in self.containers():
            write(f"--- {container.name}: {container.status}")
            write(container.logs(tail=30).decode(errors="replace"))

    def _record(self, text: str) -> None:
        with self.log.open("a") as log:
            log.write(text + "\n")


def _by_name(changes: Mapping[automation.OpType, int]) -> dict[str, int]:
    return {getattr(kind, "value", str(kind)): count for kind, count in changes.items()}


def copy_project(target: Path) -> None:
    """A copy of what a stack is made from, so that a test may edit it."""
    target.mkdir(parents=True)
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target / name)
    (target / ".venv").symlink_to((ROOT / ".venv").resolve())
