"""What a running step is given: a voice, a log file, and commands that can be stopped."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from toolchain.setup.console import Console
from toolchain.setup.errors import SetupError, StoppedError

_TAIL_LINES = 12


@dataclass
class Work:
    """One step's hands.

    Parameters
    ----------
    label
        Name of the step, in front of every line.
    log
        File that gets the whole output of every command.
    stop
        Set when the step should end early.
    lock
        File descriptor of the set-up's lock; commands inherit it.
    """

    label: str
    console: Console
    log: Path
    stop: threading.Event
    lock: int | None = None
    _children: list[subprocess.Popen[str]] = field(default_factory=list)

    def say(self, line: str) -> None:
        """Tell the user something that stays on the screen."""
        self.console.say(f"{self.label}: {line}")

    def show(self, state: str) -> None:
        """Tell how far the step is."""
        self.console.show(self.label, state)

    def run(
        self,
        command: Sequence[str],
        *,
        cwd: Path | None = None,
        environ: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> None:
        """Run a command to its end, its output in the log.

        Raises
        ------
        SetupError
            Raised with the last lines of its output when it fails.
        StoppedError
            Raised when the step is stopped.
        """
        if self.stop.is_set():
            raise StoppedError
        self.log.parent.mkdir(parents=True, exist_ok=True)
        tail: list[str] = []
        with self.log.open("a", errors="replace") as log:
            child = self._start(command, cwd, environ)
            for line in child.stdout or ():
                log.write(line)
                tail = [*tail, line.rstrip()][-_TAIL_LINES:]
                if on_line:
                    on_line(line.rstrip())
            code = child.wait()
        if self.stop.is_set():
            raise StoppedError
        if code:
            raise SetupError(describe_failure(self.label, command, code, tail, self.log))

    def kill(self) -> None:
        """End the running command and whatever it has started."""
        for child in self._children:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)

    def _start(
        self, command: Sequence[str], cwd: Path | None, environ: Mapping[str, str] | None
    ) -> subprocess.Popen[str]:
        try:
            child = subprocess.Popen(
                command,
                cwd=cwd,
                env=None if environ is None else dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
                pass_fds=() if self.lock is None else (self.lock,),
            )
        except OSError as error:
            raise SetupError(
                f"{self.label}: {command[0]} should start (got: {error.strerror}). "
                "Install it, or repair it, and run this again."
            ) from None
        self._children.append(child)
        if self.stop.is_set():
            self.kill()
        return child


def describe_failure(
    label: str, command: Sequence[str], code: int, tail: Sequence[str], log: Path
) -> str:
    """Tell that a command failed, with the end of its output."""
    program = Path(command[0]).name
    lines = "".join(f"\n    {line}" for line in tail)
    return (
        f"{label}: `{program}` should end with 0 (got {code}). "
        f"Mend what its last lines say and run this again; it goes on from here.{lines}\n"
        f"    Whole output: {log}"
    )
