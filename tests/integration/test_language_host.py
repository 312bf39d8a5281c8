"""Programs under the real Pulumi CLI with our language host; no container engine is needed."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pulumi.automation
import pytest

from tests.support.language_project import (
    Workspace,
    install_toolchain,
    is_alive,
    output_until,
    succeeded,
)

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


@pytest.fixture(scope="module")
def toolchain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CLI with this tree's language host."""
    return install_toolchain(tmp_path_factory.mktemp("toolchain"))


@pytest.fixture
def workspace(tmp_path: Path, toolchain: Path) -> Iterator[Workspace]:
    """A project with a stack `dev` and no program."""
    workspace = Workspace(tmp_path, toolchain)
    yield workspace
    workspace.close()


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
    workspace.write_project(virtualenv="nowhere")
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
    running = workspace.start_up()
    started = output_until(running, "waiting in")
    running.send_signal(signal.SIGINT)
    output = started + running.communicate()[0]
    assert running.returncode != 0
    assert "cleaned up" in output
    assert "Traceback" not in output
    assert "KeyboardInterrupt" not in output
    assert not is_alive(int(started.rsplit(" ", 1)[1]))


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


def test_program_and_host_end_with_a_killed_engine(workspace: Workspace) -> None:
    workspace.write(
        "__main__.py",
        """\
        import os, threading
        print(f"waiting in {os.getpid()} of {os.getppid()}")
        threading.Event().wait()
        """,
    )
    engine = workspace.start_up()
    line = output_until(engine, "waiting in")
    processes = [int(word) for word in line.split() if word.isdigit()]
    assert len(processes) == 2
    engine.kill()
    engine.wait()
    deadline = time.monotonic() + 60
    while any(map(is_alive, processes)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_alive, processes))
