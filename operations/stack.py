"""One stack: its settings file and what Pulumi's backend keeps of it; in the program's Python."""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from infra.errors import UserError
from infra.naming import PROJECT
from operations.arguments import parse
from operations.reporting import run_reporting
from toolchain.setup.atomic import write_file
from toolchain.setup.errors import SetupError

ROOT = Path(__file__).resolve().parents[1]
_TEMPLATE = "Pulumi.dev.yaml"


@dataclass(frozen=True)
class Stack:
    """A stack by its name; nothing is read before it is needed."""

    name: str
    root: Path = ROOT
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    @property
    def file(self) -> Path:
        """`Pulumi.<stack>.yaml` in the project's folder."""
        return self.root / f"Pulumi.{self.name}.yaml"

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """The stack's configuration by full key; UserError for a file that is not YAML."""
        return _read_config(self.root / "Pulumi.yaml") | _read_config(self.file)

    @property
    def is_production(self) -> bool:
        """Whether the stack serves users."""
        return self.config.get("devportal:environment") == "production"

    @property
    def backend_folder(self) -> Path | None:
        """Where the file backend keeps states; None for a backend elsewhere."""
        url = urlsplit(self.environ["PULUMI_BACKEND_URL"])
        return Path(url.path) / ".pulumi" if url.scheme == "file" else None

    @property
    def state(self) -> Path | None:
        """The file with the stack's state; None for a backend elsewhere."""
        folder = self.backend_folder
        return folder and folder / "stacks" / PROJECT / f"{self.name}.json"

    def run_pulumi(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run `pulumi` on the stack; nothing is shown."""
        command = ["pulumi", *arguments, "--stack", self.name, "--non-interactive"]
        environ = dict(self.environ)
        return subprocess.run(command, cwd=self.root, env=environ, capture_output=True, text=True)

    def prepare_with_pulumi(self, *arguments: str) -> None:
        """As `run_pulumi`; UserError with its output when it fails."""
        done = self.run_pulumi(*arguments)
        if done.returncode:
            output = (done.stderr or done.stdout).strip() or f"exit code {done.returncode}"
            raise UserError(
                f"stack {self.name}: `pulumi {arguments[0]}` should succeed (got: {output}). "
                "Correct that and run this again."
            )


def create_file(stack: Stack) -> None:
    """Give a new development stack a settings file: the template's, with every port 0."""
    if stack.file.exists():
        return
    # Only here: pydantic takes a tenth of a second to import, and most stacks have a file.
    from infra.settings import PortSettings

    document = yaml.safe_load((stack.root / _TEMPLATE).read_text())
    fields = PortSettings.model_fields.items()
    ports = {name: 0 for name, port in fields if isinstance(port.default, int)}
    document["config"]["devportal:ports"] = ports
    text = yaml.safe_dump(document, sort_keys=False)
    write_file(stack.file, f"# Made from {_TEMPLATE}; a port of 0 is a free one.\n{text}")
    print(
        f"{stack.file.name}: new, with the settings of {_TEMPLATE} and every port 0: free ones "
        f"are chosen, and `make output STACK={stack.name}` lists them",
        flush=True,
    )


def run_on_stack(target: Callable[[Stack, argparse.Namespace], int]) -> int:
    """Run a target in the program's Python, as the first stage has started it; its exit code."""
    options = parse(sys.argv[1:])
    return run_reporting(lambda: target(Stack(options.stack), options), SetupError)


def _read_config(path: Path) -> dict[str, Any]:
    """The values under `config:`, those of Pulumi.yaml without their `value:`."""
    try:
        document = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        return {}
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise UserError(
            f"{path.name}: should be YAML (got: {error.problem}, line {line}). Correct it."
        ) from None
    config = document.get("config") if isinstance(document, dict) else None
    if not isinstance(config, dict):
        return {}
    return {key: _plain(value) for key, value in config.items()}


def _plain(value: Any) -> Any:
    return value["value"] if isinstance(value, dict) and [*value] == ["value"] else value
