"""A command that has the terminal: Ctrl-C is its business, not ours."""

import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def run_in_front(command: Sequence[str], *, cwd: Path, environ: Mapping[str, str]) -> int:
    """Run a command to its end, however often it is interrupted; its exit code.

    The terminal sends Ctrl-C to both processes; a SIGTERM that comes to this one alone is
    passed on as the same.
    """
    child: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def pass_on(number: int, frame: object) -> None:
        if child is None:
            early.append(number)
        else:
            child.send_signal(signal.SIGINT)

    before = signal.signal(signal.SIGTERM, pass_on), signal.signal(signal.SIGINT, _ignore)
    try:
        with subprocess.Popen(command, cwd=cwd, env=dict(environ)) as child:
            if early:
                child.send_signal(signal.SIGINT)
            return child.wait()
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])


def _ignore(number: int, frame: object) -> None:
    """Not SIG_IGN: the command would inherit that."""
