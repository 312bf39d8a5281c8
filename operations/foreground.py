"""A command that has the terminal: Ctrl-C is its business, not ours."""

import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType


class _Request:
    """A request to end that came to this process alone, on its way to the command."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._made = False

    def make(self, number: int, frame: FrameType | None) -> None:
        self._made = True
        self._deliver()

    def set_receiver(self, child: "subprocess.Popen[bytes]") -> None:
        self._child = child
        self._deliver()

    def _deliver(self) -> None:
        if self._made and self._child is not None:
            self._child.send_signal(signal.SIGINT)


def run_in_front(command: Sequence[str], *, cwd: Path, environ: Mapping[str, str]) -> int:
    """Run a command to its end, however often it is interrupted; its exit code.

    The terminal sends Ctrl-C to both processes; a SIGTERM that comes to this one alone is
    handed on as the same.
    """
    request = _Request()
    with (
        _handled(signal.SIGINT, lambda number, frame: None),
        _handled(signal.SIGTERM, request.make),
        subprocess.Popen(command, cwd=cwd, env=dict(environ)) as child,
    ):
        request.set_receiver(child)
        return child.wait()


@contextmanager
def _handled(number: signal.Signals, handler: "signal._HANDLER") -> Iterator[None]:
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)
