"""One stack: its settings file and what Pulumi's backend keeps of it; in the program's Python."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from infra.engine.address import resolve_engine
from infra.errors import UserError
from infra.naming import PROJECT
from infra.settings import ClusterMode, Environment, PortSettings
from infra.settings.loading import find_value
from infra.settings.stack_file import read_provider_values, read_values
from operations.backend import states_folder
from toolchain.setup.atomic import write_file
from toolchain.setup.environment import (
    DEVELOPMENT_PASSPHRASE,
    PASSPHRASE,
    PASSPHRASE_FILE,
)
from toolchain.setup.project import ROOT, Project

_TEMPLATE = "Pulumi.dev.yaml"
_MADE_FROM = f"# Made from {_TEMPLATE}"
FREE_PORTS = {name: 0 for name in PortSettings.model_fields if name != "bind_address"}
_ENGINE_VARIABLES = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY")


@dataclass(frozen=True)
class Stack:
    """A stack by its name; nothing is read before it is needed."""

    name: str
    environ: Mapping[str, str]
    root: Path = ROOT

    @property
    def file(self) -> Path:
        """`Pulumi.<stack>.yaml` in the project's folder."""
        return self.root / f"Pulumi.{self.name}.yaml"

    @property
    def up(self) -> str:
        """The command that brings it to what it should be."""
        return f"make up STACK={self.name}"

    def lacks(self, what: str, got: str = "got none") -> UserError:
        """What ends a target on something that an `up` makes."""
        return UserError(f"stack {self.name}: should have {what} ({got}). Run `{self.up}`.")

    @property
    def has_made_file(self) -> bool:
        """Whether `create_file` has written the stack's file."""
        return self.file.exists() and self.file.read_text().startswith(_MADE_FROM)

    @property
    def is_production(self) -> bool:
        """Whether the stack serves users; UserError for a file that is not YAML."""
        return read_values(self.root, self.name).get("environment") == Environment.PRODUCTION

    @cached_property
    def is_on_swarm(self) -> bool:
        """Whether it is services on a swarm; UserError for a file that is not YAML."""
        cluster = find_value(read_values(self.root, self.name), "cluster")
        return isinstance(cluster, dict) and cluster.get("mode") == ClusterMode.SWARM

    @cached_property
    def engine_settings(self) -> dict[str, str]:
        """What its files set for the docker provider, such as `docker:host`."""
        return read_provider_values(self.root, self.name, "docker")

    @property
    def engine_environ(self) -> dict[str, str]:
        """The environment in which the command `docker` acts on the stack's engine."""
        address = resolve_engine(self.engine_settings, self.environ)
        kept = {key: value for key, value in self.environ.items() if key not in _ENGINE_VARIABLES}
        if address.cert_path:
            kept |= {"DOCKER_CERT_PATH": address.cert_path, "DOCKER_TLS_VERIFY": "1"}
        return {**kept, "DOCKER_HOST": address.host}

    @property
    def pulumi_environ(self) -> dict[str, str]:
        """The environment in which `pulumi` acts on the stack: with the passphrase that is its own.

        That stands in `own_passphrase_file`; a stack with the salt of the development template has
        the template's. So one shell serves several stacks.
        """
        if self.own_passphrase_file.exists():
            own = {PASSPHRASE_FILE: str(self.own_passphrase_file)}
        elif (salt := read_salt(self.file)) and salt == read_salt(self.root / _TEMPLATE):
            own = {PASSPHRASE: DEVELOPMENT_PASSPHRASE}
        else:
            return dict(self.environ)
        given = (PASSPHRASE, PASSPHRASE_FILE)
        return {**{key: text for key, text in self.environ.items() if key not in given}, **own}

    @property
    def own_passphrase_file(self) -> Path:
        """Where the stack's passphrase stands; git ignores it."""
        return self.root / ".secrets" / f"{self.name}.passphrase"

    @property
    def project(self) -> Project:
        """The machine, with the stack's engine as its own."""
        keys = filter(self.engine_settings.get, ("docker:context", "docker:host"))
        return Project(self.root, self.engine_environ, next(keys, ""))

    @property
    def backend_folder(self) -> Path | None:
        """Where the file backend keeps states; None for a backend elsewhere."""
        return states_folder(self.environ["PULUMI_BACKEND_URL"], self.root)

    @property
    def state(self) -> Path | None:
        """The file with the stack's state; None for a backend elsewhere."""
        folder = self.backend_folder
        return folder and folder / "stacks" / PROJECT / f"{self.name}.json"

    @property
    def is_missing(self) -> bool:
        """Whether the backend has no such stack."""
        if self.state is not None:
            return not self.state.exists()
        return "no stack named" in self.run_pulumi("stack", "export").stderr

    def run_pulumi(
        self, *arguments: str, text: str = "", **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run `pulumi` on the stack, with `text` as its input; nothing is shown.

        `variables` are laid over its environment.
        """
        command = ["pulumi", *arguments, "--stack", self.name, "--non-interactive"]
        environ = {**self.pulumi_environ, **variables}
        return subprocess.run(
            command, cwd=self.root, env=environ, input=text, capture_output=True, text=True
        )

    @contextmanager
    def with_state_for_a_plan(self) -> Iterator[None]:
        """Give one that is new a state, and take it away again with the salt in its file."""
        if not self.is_missing:
            yield
            return
        text = self.file.read_bytes()
        self.prepare_with_pulumi("stack", "select", "--create")
        try:
            yield
        finally:
            self.prepare_with_pulumi("stack", "rm", "--yes", "--preserve-config")
            self.file.write_bytes(text)

    def prepare_with_pulumi(self, *arguments: str, text: str = "") -> None:
        """As `run_pulumi`; UserError with its output when it fails."""
        done = self.run_pulumi(*arguments, text=text)
        if done.returncode:
            output = (done.stderr or done.stdout).strip() or f"exit code {done.returncode}"
            raise UserError(
                f"stack {self.name}: `pulumi {arguments[0]}` should succeed (got: {output}). "
                "Correct that and run this again."
            )


def read_salt(file: Path) -> str | None:
    """What the passphrase of the stack's secrets is mixed with; None where there is no file."""
    text = file.read_text() if file.exists() else ""
    found = re.search(r"^encryptionsalt: (.+)$", text, re.MULTILINE)
    return found and found[1].strip()


def create_file(stack: Stack) -> None:
    """Give a new development stack a settings file: the template's, with every port 0.

    With `CI` set, as build services do, the portal does not run from the clone.
    """
    if stack.file.exists():
        return
    document = yaml.safe_load((stack.root / _TEMPLATE).read_text())
    config = document["config"]
    config["devportal:ports"] = FREE_PORTS
    difference = "every port 0"
    if stack.environ.get("CI"):
        # The next job checks another revision out into the folder that would be mounted.
        config["devportal:app"]["reload"] = False
        difference += " and, as CI is set, app.reload false"
    text = yaml.safe_dump(document, sort_keys=False)
    write_file(stack.file, f"{_MADE_FROM}; a port of 0 is a free one.\n{text}")
    print(
        f"{stack.file.name}: new, with the settings of {_TEMPLATE} and {difference}: free "
        f"ports are chosen, and `make output STACK={stack.name}` lists them",
        flush=True,
    )
