"""One stack of the portal, driven by the commands of Pulumi's that a user would type."""

import itertools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import yaml
from docker.models.containers import Container

from benchmarks.harness.machine import TEST_STACK_PREFIX, remove_stack_objects, tool_environment
from benchmarks.harness.project_copy import copy_project
from infra.naming import container_labels

_COUNTER = itertools.count()
RARE_PROBES = {"interval_seconds": 30}
"""As on engines with a start interval; those before 25 probe every 5 s, which takes a fifth of a
processor from each stack. `up` makes probes of its own."""
DEVELOPMENT: dict[str, Any] = {
    "environment": "development",
    "health": RARE_PROBES,
    "devtools": True,
    "retain_data": False,
    "ports": {"portal": 0, "postgres": 0, "redis": 0, "adminer": 0, "redis_commander": 0},
    "app": dict.fromkeys(("reload", "debug", "seed", "anonymous_reads", "webhooks_enabled"), True),
}


class PulumiFailed(Exception):
    """A command of Pulumi's that failed, with what it printed."""


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
            # It has the flag for a log of events.
            "PULUMI_DEBUG_COMMANDS": "true",
            **self.variables,
        }
        self.environment.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
        self.log = self.folder / "pulumi.log"
        self.configure()
        os.environ["PATH"] = self.environment["PATH"]
        self.pulumi("stack", "select", "--create")

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

    def set_secret(self, path: str, text: str) -> None:
        """Encrypt a setting, such as `secrets.secret_key`, in the stack's file."""
        self.set_secrets({path: text})

    def set_secrets(self, texts: Mapping[str, str]) -> None:
        """Encrypt several by their paths."""
        given = (f"devportal:{path}={text}" for path, text in texts.items())
        options = (word for one in given for word in ("--secret", one))
        self.pulumi("config", "set-all", "--path", *options)
        file = self.project / f"Pulumi.{self.name}.yaml"
        config = yaml.safe_load(file.read_text())["config"]
        # As they stand there, so that later changes of settings keep them.
        for group in {path.partition(".")[0] for path in texts}:
            self.settings[group] = config[f"devportal:{group}"]

    def pulumi(self, *arguments: str, text: str = "") -> str:
        """Run a command of Pulumi's on the stack, with `text` as its input; what it printed.

        Raises PulumiFailed. The log gets each line as it comes.
        """
        with (
            self.log.open("a", buffering=1) as log,
            subprocess.Popen(
                self._command(*arguments),
                cwd=self.project,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ) as running,
        ):
            assert running.stdin is not None
            assert running.stdout is not None
            running.stdin.write(text)
            running.stdin.close()
            lines = [line for line in running.stdout if log.write(line)]
        if running.returncode:
            raise PulumiFailed("".join(lines))
        return "".join(lines)

    def _show(self, *arguments: str) -> Any:
        """What a command of Pulumi's prints as JSON, secrets too: the log gets none of it."""
        command = self._command(*arguments, "--show-secrets")
        environment = self.environment
        return json.loads(subprocess.check_output(command, cwd=self.project, env=environment))

    def _command(self, *arguments: str) -> list[str]:
        return ["pulumi", *arguments, "--stack", self.name, "--non-interactive"]

    def up(self, **options: Any) -> dict[str, int]:
        """Run `pulumi up`; the number of resources by what was done to them.

        The options are Pulumi's own, such as `refresh=True` or `replace=[...]`.
        """
        return _changes(self._operate("up", "--yes", "--skip-preview", **options))

    def change_app(self, **changes: Any) -> None:
        """Bring the portal to other settings."""
        self.configure(app={**self.settings.get("app", {}), **changes})
        self.up()

    def preview(self, **options: Any) -> dict[str, int]:
        """Run `pulumi preview`; the number of resources by what would be done to them."""
        return _changes(self._operate("preview", **options))

    def find_drift(self) -> dict[str, str]:
        """Run `pulumi refresh`; for each resource that differs, `update` or `delete`, by name."""
        done = [
            event["resOutputsEvent"]["metadata"]
            for event in self._operate("refresh", "--yes", "--skip-preview")
            if "resOutputsEvent" in event
        ]
        return {
            one["urn"].rpartition("::")[2]: one["op"]
            for one in done
            if one["op"] in ("update", "delete")
        }

    def refresh(self) -> dict[str, int]:
        """Run `pulumi refresh`; the number of resources by how the engine's truth differs."""
        return _changes(self._operate("refresh", "--yes", "--skip-preview"))

    def destroy(self) -> None:
        self.pulumi("destroy", "--yes", "--skip-preview")

    def _operate(self, *command: str, **options: Any) -> list[dict[str, Any]]:
        """The events of an operation."""
        flags = [
            f"--{name}" if one is True else f"--{name}={one}"
            for name, given in options.items()
            for one in (given if isinstance(given, list) else [given])
        ]
        with tempfile.NamedTemporaryFile("r") as events:
            self.pulumi(*command, *flags, "--event-log", events.name)
            return [json.loads(line) for line in events]

    def output(self, name: str) -> Any:
        return self._show("stack", "output", "--json")[name]

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
        return self._show("stack", "export")["deployment"]["resources"]

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
        """Take everything of the stack off the engine by its label, whatever state it is in."""
        remove_stack_objects(self.client, self.name)
        shutil.rmtree(self.folder, ignore_errors=True)

    def describe(self, write: Callable[[str], None]) -> None:
        """Write what helps to understand a failure: Pulumi's output, each container's end."""
        if self.log.exists():
            write(self.log.read_text()[-8000:])
        for container in self.containers():
            write(f"--- {container.name}: {container.status}")
            write(container.logs(tail=30).decode(errors="replace"))


def _changes(events: list[dict[str, Any]]) -> dict[str, int]:
    """What the last event tells: resources by operation."""
    [summary] = [event["summaryEvent"] for event in events if "summaryEvent" in event]
    return summary["resourceChanges"] or {}
