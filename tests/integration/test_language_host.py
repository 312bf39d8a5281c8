"""The language host under the real Pulumi CLI; no container engine is needed."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pulumi.automation
import pytest

ROOT = Path(__file__).resolve().parents[2]

LAUNCHER = """\
#!/bin/sh
PYTHONPATH="{root}${{PYTHONPATH:+:$PYTHONPATH}}" exec "{python}" -m {module} "$@"
"""

GREETING = """
import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

class Provider(ResourceProvider):
    def create(self, props):
        if props["value"] == "refused":
            raise ValueError("the value is refused")
        return CreateResult("greeting-1", dict(props))

    def diff(self, id, old, new):
        return DiffResult(changes=old["value"] != new["value"])

    def update(self, id, old, new):
        return UpdateResult(dict(new))

class Greeting(Resource):
    value: pulumi.Output[str]

    def __init__(self, name, value):
        super().__init__(Provider(), name, {"value": value})

config = pulumi.Config()
pulumi.export("value", Greeting("greeting", config.get("value") or "hello").value)
"""


@pytest.fixture(scope="session")
def toolchain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the CLI and, next to it, launchers of this tree's language host."""
    cli = shutil.which("pulumi")
    if cli is None:
        pytest.fail("PATH: should have pulumi (got none). Run `make setup` and `. ./activate`.")
    folder = tmp_path_factory.mktemp("toolchain")
    shutil.copy(Path(cli).resolve(), folder / "pulumi")
    modules = {
        "pulumi-language-python": "plugins.language",
        "pulumi-resource-pulumi-python": "plugins.language.dynamic",
    }
    for name, module in modules.items():
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
        self.write("Pulumi.yaml", self.project_file(sys.prefix))

    def project_file(self, virtualenv: str) -> str:
        """Return a Pulumi.yaml whose program runs in a virtual environment."""
        runtime = {"name": "python", "options": {"virtualenv": virtualenv}}
        return json.dumps({"name": "greeter", "runtime": runtime})

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


def diagnostics(output: str) -> str:
    """Return the diagnostics of the stack, as the CLI lists them at the end of a run."""
    block = output.split("\nDiagnostics:\n", 1)[1]
    lines = block.split("\n\nResources:", 1)[0].split("\n\nOutputs:", 1)[0].splitlines()
    assert lines[0] == "  pulumi:pulumi:Stack (greeter-dev):", output
    return "\n".join(line.removeprefix("    ") for line in lines[1:]).strip()


@pytest.fixture
def workspace(tmp_path: Path, toolchain: Path) -> Iterator[Workspace]:
    """A project with a stack `dev` and no program."""
    workspace = Workspace(tmp_path, toolchain)
    created = workspace.pulumi("stack", "init", "dev")
    assert created.returncode == 0, created.stdout
    yield workspace
    workspace.pulumi("cancel", "--yes", "--stack=dev")
    workspace.pulumi("destroy", "--yes", "--stack=dev")


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    """Return the output of a command that must succeed."""
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_a_stack_lives_from_up_to_destroy(workspace: Workspace) -> None:
    workspace.write("__main__.py", GREETING)
    assert "+ 2 created" in succeeded(workspace.up())
    assert "2 unchanged" in succeeded(workspace.up("--expect-no-changes"))
    preview = workspace.pulumi("preview", "--stack=dev", "--expect-no-changes")
    assert "2 unchanged" in succeeded(preview)
    refresh = workspace.pulumi("refresh", "--yes", "--stack=dev", "--expect-no-changes")
    assert "2 unchanged" in succeeded(refresh)
    assert "- 2 deleted" in succeeded(workspace.pulumi("destroy", "--yes", "--stack=dev"))


def test_configuration_reaches_the_program_and_secrets_stay_secret(workspace: Workspace) -> None:
    workspace.write("__main__.py", GREETING.replace("config.get(", "config.get_secret("))
    succeeded(workspace.pulumi("config", "set", "--secret", "value", "open-sesame", "--stack=dev"))
    assert "open-sesame" not in succeeded(workspace.up())
    shown = workspace.pulumi("stack", "output", "value", "--show-secrets", "--stack=dev")
    assert shown.stdout.strip() == "open-sesame"


def test_an_error_shows_the_frames_of_the_user_alone(workspace: Workspace) -> None:
    program = workspace.write("__main__.py", "import helper\n\nhelper.parse('{')\n")
    helper = workspace.write(
        "helper.py", "import json\n\ndef parse(text):\n    return json.loads(text)\n"
    )
    assert workspace.up_error() == dedent(
        f"""\
        error: Program failed with an unhandled exception:
        Traceback (most recent call last):
          File "{program}", line 3, in <module>
            helper.parse('{{')
          File "{helper}", line 4, in parse
            return json.loads(text)
                   ^^^^^^^^^^^^^^^^
        json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: \
line 1 column 2 (char 1)"""
    )


def test_a_syntax_error_shows_its_place(workspace: Workspace) -> None:
    program = workspace.write("__main__.py", "import pulumi\nvalues = (1,\n")
    assert workspace.up_error() == dedent(
        f"""\
        error: Program failed with an unhandled exception:
          File "{program}", line 2
            values = (1,
                     ^
        SyntaxError: '(' was never closed"""
    )


def test_an_error_inside_apply_shows_its_line(workspace: Workspace) -> None:
    program = workspace.write(
        "__main__.py",
        """\
        import pulumi

        def divide(value):
            return 1 / value

        pulumi.export("value", pulumi.Output.from_input(0).apply(divide))
        """,
    )
    assert workspace.up_error() == dedent(
        f"""\
        error: Program failed with an unhandled exception:
        Traceback (most recent call last):
          File "{program}", line 4, in divide
            return 1 / value
                   ~~^~~~~~~
        ZeroDivisionError: division by zero"""
    )


@pytest.mark.parametrize(
    ("program", "error"),
    [
        (
            "import pulumi\nraise pulumi.RunError('a: should be 1 (got 2). Change it.')",
            "error: a: should be 1 (got 2). Change it.",
        ),
        ("import sys\nsys.exit('nothing to deploy')", "error: nothing to deploy"),
        (
            "import sys\nsys.exit(3)",
            "error: an unhandled error occurred: program exited with non-zero exit code: 3",
        ),
    ],
)
def test_a_reported_error_is_its_message_alone(
    workspace: Workspace, program: str, error: str
) -> None:
    workspace.write("__main__.py", program)
    assert workspace.up_error() == error


def test_a_program_may_exit_with_success(workspace: Workspace) -> None:
    workspace.write("__main__.py", GREETING + "\nimport sys\nsys.exit(0)\n")
    assert "+ 2 created" in succeeded(workspace.up())


def test_a_missing_virtual_environment_is_named(workspace: Workspace) -> None:
    workspace.write("__main__.py", GREETING)
    workspace.write("Pulumi.yaml", workspace.project_file("nowhere"))
    done = workspace.up()
    assert done.returncode != 0
    assert done.stdout.splitlines()[-1] == (
        "error: failed to discover package requirements: "
        "Pulumi.yaml:runtime.options.virtualenv: should name a virtual environment "
        f"(got none at {workspace.folder / 'nowhere'}). Run `pulumi install` to create it."
    )


def test_an_interrupt_ends_the_program_without_noise(workspace: Workspace) -> None:
    workspace.write(
        "__main__.py",
        """\
        import os, threading
        try:
            print(f"waiting in {os.getpid()}")
            threading.Event().wait()
        finally:
            print("cleaned up")
        """,
    )
    running = subprocess.Popen(
        ["pulumi", "up", "--yes", "--skip-preview", "--stack=dev", "--color=never"],
        cwd=workspace.folder,
        env=workspace.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert running.stdout is not None
    started = next(line for line in running.stdout if "waiting in" in line)
    running.send_signal(signal.SIGINT)
    output = started + running.stdout.read()
    assert running.wait() != 0
    assert "cleaned up" in output
    assert "Traceback" not in output
    assert "KeyboardInterrupt" not in output
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.rsplit(" ", 1)[1]), 0)


def test_a_policy_pack_refuses_a_resource(workspace: Workspace) -> None:
    workspace.write("__main__.py", GREETING)
    runtime = {"name": "python", "options": {"virtualenv": sys.prefix}}
    pack = workspace.write("pack/PulumiPolicy.yaml", json.dumps({"runtime": runtime}))
    workspace.write(
        "pack/__main__.py",
        """\
        import pulumi
        from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

        def polite(arguments, report):
            if arguments.props.get("value") == "rude":
                report(f"{pulumi.get_stack()} greets politely")

        PolicyPack("manners", [ResourceValidationPolicy(
            name="polite", description="Be polite.", validate=polite,
            enforcement_level=EnforcementLevel.MANDATORY,
        )])
        """,
    )
    assert "+ 2 created" in succeeded(workspace.up("--policy-pack", str(pack.parent)))
    succeeded(workspace.pulumi("config", "set", "value", "rude", "--stack=dev"))
    done = workspace.up("--policy-pack", str(pack.parent))
    assert done.returncode != 0
    assert "[mandatory]  polite  (pulumi-python:dynamic:Resource: greeting)" in done.stdout
    assert "dev greets politely" in done.stdout
    assert "KeyboardInterrupt" not in done.stdout


def test_a_failed_resource_leaves_no_traceback_of_the_sdk(workspace: Workspace) -> None:
    workspace.write("__main__.py", GREETING)
    succeeded(workspace.pulumi("config", "set", "value", "refused", "--stack=dev"))
    done = workspace.up()
    assert done.returncode != 0
    assert "the value is refused" in done.stdout
    assert "pulumi/runtime/resource.py" not in done.stdout


def test_the_automation_api_runs_local_and_inline_programs(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.write("__main__.py", GREETING)
    for name, value in workspace.environment.items():
        monkeypatch.setenv(name, value)
    stack = pulumi.automation.select_stack("dev", work_dir=str(workspace.folder))
    result = stack.up()
    assert result.outputs["value"].value == "hello"
    assert stack.preview().change_summary == {pulumi.automation.OpType.SAME: 2}
    stack.destroy()
    inline = pulumi.automation.create_stack(
        "inline", project_name="greeter", program=lambda: pulumi.export("value", "inline")
    )
    assert inline.up().outputs["value"].value == "inline"
    inline.destroy()
