"""What the set-up writes on a terminal and elsewhere, and how a command keeps the terminal."""

import io
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from toolchain.setup import console
from toolchain.setup.console import Console
from toolchain.setup.project import ROOT
from operations.foreground import run_in_front


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_live_line_stays_below_the_lines_that_are_said() -> None:
    screen = Terminal()
    written = Console(screen)
    written.show("cli", "1 of 9")
    written.say("python: done")
    written.end("cli")
    assert screen.getvalue() == ("\r\x1b[Kcli: 1 of 9\r\x1b[Kpython: done\ncli: 1 of 9\r\x1b[K")


def test_live_line_never_wraps() -> None:
    screen = Terminal()
    Console(screen, columns=10).show("cli", "1 of 1000 packages")
    assert screen.getvalue() == "\r\x1b[Kcli: 1 of"


def test_progress_is_sparse_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 0.0, 5.0, 5.0, 21.0, 21.0, 21.0]).__next__
    monkeypatch.setattr(console.time, "monotonic", now)
    screen = io.StringIO()
    written = Console(screen)
    for state in ("at once", "after 5 s", "after 21 s"):
        written.show("cli", state)
    assert screen.getvalue() == "cli: after 21 s\n"


def test_exit_code_of_a_command_in_front_is_given() -> None:
    assert run_in_front(["sh", "-c", "exit 7"], cwd=Path("/"), environ={"PATH": "/bin"}) == 7


def test_request_to_end_reaches_the_command_in_front(tmp_path: Path) -> None:
    """`pulumi` saves its state when it is interrupted; it must be asked, not killed."""
    inner = (
        f"trap 'echo saved > {tmp_path}/state; exit 3' INT; echo ready; while :; do sleep 0.1; done"
    )
    outer = (
        "import sys; from pathlib import Path; "
        "from operations.foreground import run_in_front; "
        "sys.exit(run_in_front(['sh', '-c', sys.argv[1]], cwd=Path('/'), environ={'PATH': '/bin'}))"
    )
    command = [sys.executable, "-c", outer, inner]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        running.send_signal(signal.SIGTERM)
        assert running.wait() == 3
    assert (tmp_path / "state").read_text() == "saved\n"
