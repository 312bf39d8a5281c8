"""The first stage: which targets begin a set-up, and exit codes."""

import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from docker.errors import APIError
from requests import ReadTimeout

from infra.errors import UserError
from operations import __main__ as first_stage
from operations import on_stack, terminal
from operations.arguments import INSPECTING, ON_STACK, STATE, parse
from operations.stack import Stack
from operations.terminal import run_in_front, run_reporting
from tests.support.refusals import refusal
from tests.unit.operations.conftest import given
from toolchain.setup.console import Console
from toolchain.setup.project import ROOT, Project
from toolchain.setup.steps.pulumi import LanguageHost
from toolchain.setup.steps.python_environment import ProgramEnvironment


@pytest.fixture
def execve(monkeypatch: pytest.MonkeyPatch) -> MagicMock:
    """What the process would become, on a machine that is ready."""

    def ready(_project: Project, needed: list[object]) -> dict[str, str]:
        with_pulumi = needed == [ProgramEnvironment, LanguageHost]
        assert with_pulumi or needed == [ProgramEnvironment]
        return {"SET_UP": "before, with Pulumi" if with_pulumi else "before"}

    monkeypatch.setattr(first_stage, "set_up", lambda *given, engine: {"SET_UP": f"{engine=}"})
    monkeypatch.setattr(first_stage, "ready_environment", ready)
    monkeypatch.setattr(first_stage, "describe_environment", lambda project: {"SET_UP": "before"})
    monkeypatch.setattr(first_stage.ProgramEnvironment, "find", lambda step: "ready")
    monkeypatch.setattr(first_stage.os, "chdir", lambda folder: None)
    replaced = MagicMock()
    monkeypatch.setattr(first_stage.os, "execve", replaced)
    return replaced


@pytest.mark.parametrize(
    ("settings", "set_up"), [("", "engine=True"), ("docker:host: tcp://a:1", "engine=False")]
)
@pytest.mark.parametrize("target", ON_STACK)
def test_only_a_target_that_changes_sets_up_and_not_where_the_stack_has_its_own_engine(
    target: str, settings: str, set_up: str, execve: MagicMock, tmp_path: Path
) -> None:
    """Looking at a stack needs the program's Python, and Pulumi for what that keeps."""
    (tmp_path / "Pulumi.mine.yaml").write_text(settings)
    words = [target, "--stack=mine"]
    first_stage.run(words, Project(tmp_path, {"HOME": "/x"}), Console(io.StringIO()))
    [(python, command, environ)] = [call.args for call in execve.call_args_list]
    assert command == [python, "-m", "operations.on_stack", *words]
    if target in ("output", "history", *STATE):
        set_up = "before, with Pulumi"
    elif target in (*INSPECTING, "doctor"):
        set_up = "before"
    assert environ == {"HOME": "/x", "SET_UP": set_up}


def test_whatever_a_target_starts_reaches_loopback_without_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "lab")
    assert first_stage.main(["help"]) == 0
    expected = "lab,127.0.0.1,localhost,::1"
    assert (os.environ["NO_PROXY"], os.environ["no_proxy"]) == (expected, expected)


@pytest.mark.parametrize(
    ("raised", "code", "shown"),
    [
        (UserError("x: should be y."), 1, "x: should be y.\n"),
        (OSError(28, "No space left", "/x"), 1, "/x: should be usable (got: No space left).\n"),
        (KeyboardInterrupt(), 130, "stopped\n"),
    ],
)
def test_mistake_is_printed_without_a_traceback(
    raised: BaseException, code: int, shown: str, capfd: pytest.CaptureFixture[str]
) -> None:
    def work() -> int:
        raise raised

    assert run_reporting(work, interrupted="stopped") == code
    assert capfd.readouterr().err == shown


@pytest.mark.parametrize(
    "raised",
    [APIError("409: volume is in use"), ReadTimeout("read timed out (read timeout=60)")],
)
@pytest.mark.parametrize("target", ["ps", "down"])
def test_engine_that_refuses_or_keeps_silent_is_a_message(
    target: str, raised: Exception, stack: Stack, engine: MagicMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = given(stack, PULUMI_HOME=str(stack.root))
    monkeypatch.setattr(on_stack, "Stack", lambda name, environ: stack)
    engine.containers.list.side_effect = engine.volumes.get.side_effect = raised
    assert refusal(on_stack.run, parse([target])) == (
        f"docker engine: should answer (got: {raised}). Run `make doctor`."
    )


@pytest.mark.parametrize(("ignored", "code"), [("", 130), ("trap '' HUP; ", 0)])
def test_closed_terminal_ends_what_runs_in_order_unless_nohup_has_it_ignored(
    ignored: str, code: int
) -> None:
    program = (
        "import os, signal, sys\nfrom operations.terminal import run_reporting\n"
        "sys.exit(run_reporting(lambda: os.kill(os.getpid(), signal.SIGHUP) or 0))"
    )
    command = ["bash", "-c", f'{ignored}exec {sys.executable} -c "$0"', program]
    # Whatever the terminal of this run has it ignore.
    words = ["env", "--default-signal", *command]
    assert subprocess.run(words, cwd=ROOT).returncode == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_whatever_ends_a_target_interrupts_the_command_in_front(number: int) -> None:
    command = "trap 'exit 5' INT; echo ready; while :; do sleep 0.1; done"
    program = (
        "import os, pathlib, sys\nfrom operations.terminal import run_in_front, run_reporting\n"
        "words, here = ['env', '--default-signal', 'sh', '-c', sys.argv[1]], pathlib.Path()\n"
        "front = lambda: run_in_front(words, cwd=here, environ=os.environ, interactive=True)\n"
        "sys.exit(run_reporting(front))"
    )
    # A shell cannot trap what was ignored when it began, as SIGINT is in the background.
    words = ["env", "--default-signal", sys.executable, "-c", program, command]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as target:
        assert target.stdout is not None
        assert target.stdout.readline() == "ready\n"
        target.send_signal(number)
        assert target.wait(timeout=60) == 5


def test_what_ends_a_target_while_its_command_starts_interrupts_that_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Slow(subprocess.Popen[bytes]):
        def __init__(self, *given: Any, **options: Any) -> None:
            super().__init__(*given, **options)
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(terminal.subprocess, "Popen", Slow)
    # What this run ignores, as in the background, the command would.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code = run_in_front(["sleep", "60"], cwd=ROOT, environ=os.environ, interactive=True)
    finally:
        signal.signal(signal.SIGINT, before)
    assert code == -signal.SIGINT


def test_reader_that_stops_reading_is_no_mistake() -> None:
    # In a process of its own: its output leads nowhere afterwards.
    program = "from operations.terminal import run_reporting as r; r(lambda: print('x' * 99_999))"
    command = ["bash", "-c", f'{sys.executable} -c "$0" | head -c 1; exit "$PIPESTATUS"', program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "x", "")
