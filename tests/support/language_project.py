"""A Pulumi project for tests of the language host that the set-up provides."""

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

from benchmarks.harness.machine import tool_environment

RUNTIME = {"name": "python", "options": {"virtualenv": sys.prefix}}


class Workspace:
    """A project in a folder of its own, with its own state and plugins and a stack `dev`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "state").mkdir()
        self.environment = {
            **{name: value for name, value in tool_environment().items() if "PULUMI" not in name},
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        self.write_project()
        succeeded(self.pulumi("stack", "init", "dev"))

    def write_project(self, **more: object) -> None:
        """Write a Pulumi.yaml whose program runs in the tests' own Python."""
        self.write("Pulumi.yaml", json.dumps({"name": "greeter", "runtime": RUNTIME, **more}))

    def write(self, path: str, content: str) -> Path:
        """Write a file of the project."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(content))
        return file

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a Pulumi command in the project, with both outputs in `stdout`."""
        process = self.start(*arguments)
        output = process.communicate()[0]
        return subprocess.CompletedProcess(arguments, process.returncode, output)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a Pulumi command."""
        return subprocess.Popen(
            ["pulumi", *arguments, "--non-interactive", "--color=never"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def up(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `pulumi up` without a preview."""
        return self.pulumi("up", "--yes", "--skip-preview", "--stack=dev", *arguments)

    def up_error(self) -> str:
        """Return the diagnostics of an `up` that must fail."""
        done = self.up()
        assert done.returncode != 0, done.stdout
        block = done.stdout.split("\nDiagnostics:\n  pulumi:pulumi:Stack (greeter-dev):\n", 1)[1]
        block = block.split("\n\nResources:", 1)[0].split("\n\nOutputs:", 1)[0]
        return "\n".join(line.removeprefix("    ") for line in block.splitlines()).strip()


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    """Return the output of a command that must succeed."""
    assert done.returncode == 0, done.stdout
    return done.stdout
