"""A Pulumi project for tests of the language host, under the real CLI."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.support.machine import tool_environment

ROOT = Path(__file__).resolve().parents[2]

MODULES = {
    "pulumi-language-python": "plugins.language",
    "pulumi-resource-pulumi-python": "plugins.language.dynamic",
}
"""Executables the engine looks for, and what they run."""

LAUNCHER = """\
#!/bin/sh
PYTHONPATH="{root}${{PYTHONPATH:+:$PYTHONPATH}}" exec "{python}" -m {module} "$@"
"""


def install_toolchain(folder: Path) -> Path:
    """Put the set-up's CLI into a folder and, next to it, launchers of this tree's host."""
    cli = shutil.which("pulumi", path=tool_environment()["PATH"])
    if cli is None:
        pytest.fail("PATH: should have pulumi (got none). Run the set-up and `. ./activate`.")
    shutil.copy(Path(cli).resolve(), folder / "pulumi")
    for name, module in MODULES.items():
        launcher = folder / name
        launcher.write_text(LAUNCHER.format(root=ROOT, python=sys.executable, module=module))
        launcher.chmod(0o755)
    return folder


class Workspace:
    """A project in a folder of its own, with its own state and plugins."""

    def __init__(self, folder: Path, toolchain: Path) -> None:
        self.folder = folder
        (folder / "state").mkdir()
        self.environment = {
            **{name: value for name, value in os.environ.items() if "PULUMI" not in name},
            "PATH": f"{toolchain}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        self.write_project(virtualenv=sys.prefix)
        assert self.pulumi("stack", "init", "dev").returncode == 0

    def write_project(self, *, virtualenv: str, **more: object) -> None:
        """Write a Pulumi.yaml whose program runs in a virtual environment."""
        project = {"name": "greeter", "runtime": runtime(virtualenv), **more}
        self.write("Pulumi.yaml", json.dumps(project))

    def write_plugin(self, name: str) -> None:
        """Declare a provider in the folder `plugin`, and how it is run."""
        providers = [{"name": name, "path": "./plugin"}]
        self.write_project(virtualenv=sys.prefix, plugins={"providers": providers})
        self.write("plugin/PulumiPlugin.yaml", json.dumps({"runtime": runtime(sys.prefix)}))

    def write(self, path: str, content: str) -> Path:
        """Write a file of the project."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(content))
        return file

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a Pulumi command in the project, with both outputs in `stdout`."""
        return subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color=never"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def up(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `pulumi up` without a preview."""
        return self.pulumi("up", "--yes", "--skip-preview", "--stack=dev", *arguments)

    def up_error(self, *arguments: str) -> str:
        """Return the one error of an `up` that must fail."""
        done = self.up(*arguments)
        assert done.returncode != 0, done.stdout
        return diagnostics(done.stdout)

    def start_up(self) -> subprocess.Popen[str]:
        """Start `pulumi up` and return the CLI's process."""
        return subprocess.Popen(
            ["pulumi", "up", "--yes", "--skip-preview", "--stack=dev", "--color=never"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def close(self) -> None:
        """Remove the stack's resources, whatever a test left."""
        self.pulumi("cancel", "--yes", "--stack=dev")
        self.pulumi("destroy", "--yes", "--stack=dev")


def runtime(virtualenv: str) -> dict[str, object]:
    """Return the `runtime` entry of a Pulumi.yaml."""
    return {"name": "python", "options": {"virtualenv": virtualenv}}


def diagnostics(output: str) -> str:
    """Return the diagnostics of the stack, as the CLI lists them at the end of a run."""
    block = output.split("\nDiagnostics:\n", 1)[1]
    lines = block.split("\n\nResources:", 1)[0].split("\n\nOutputs:", 1)[0].splitlines()
    assert lines[0] == "  pulumi:pulumi:Stack (greeter-dev):", output
    return "\n".join(line.removeprefix("    ") for line in lines[1:]).strip()


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    """Return the output of a command that must succeed."""
    assert done.returncode == 0, done.stdout
    return done.stdout


def output_until(process: subprocess.Popen[str], text: str) -> str:
    """Return the first line of the output that has a text."""
    assert process.stdout is not None
    return next(line for line in process.stdout if text in line)


def is_alive(process_id: int) -> bool:
    """Whether a process runs; a zombie does not."""
    status = Path(f"/proc/{process_id}/status")
    try:
        return "State:\tZ" not in status.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
