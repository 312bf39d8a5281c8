"""What a running step works with: progress lines, a log file, commands that can be stopped."""

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from infra.errors import UserError
from toolchain.setup.console import Console

TAIL_LINES = 12


class StoppedError(Exception):
    """The step was stopped because another one failed, or the user wants to leave."""


@dataclass
class Work:
    """One step at work: its label stands in front of every line, its commands inherit `lock`."""

    label: str
    console: Console
    log: Path
    stop: threading.Event
    lock: int | None = None
    cpu_seconds: float = 0.0
    """Processor time of the commands that have ended, those they started included."""
    _children: "list[subprocess.Popen[str]]" = field(default_factory=list)

    def say(self, line: str) -> None:
        """Write a line that stays on the screen."""
        self.console.say(f"{self.label}: {line}")

    def show(self, state: str) -> None:
        """Show how far the step is."""
        self.console.show(self.label, state.strip()[:60])

    def run(
        self,
        command: Sequence[str],
        *,
        cwd: Path | None = None,
        environ: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> None:
        """Run a command to its end, its output in the log.

        Raises UserError with its last lines when it fails, StoppedError when the step is stopped.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        tail: deque[str] = deque(maxlen=TAIL_LINES)
        with self.log.open("a", buffering=1, errors="replace") as log:
            child = self._start(command, cwd, environ)
            for line in child.stdout or ():
                log.write(line)
                tail.append(line.rstrip())
                (on_line or self.show)(line.rstrip())
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        self.cpu_seconds += usage.ru_utime + usage.ru_stime
        if self.stop.is_set():
            raise StoppedError
        if child.returncode:
            raise UserError(
                f"{self.label}: `{Path(command[0]).name}` should end with 0 "
                f"(got {child.returncode}). Correct what its last lines name and run this again; "
                f"it goes on from here.{quote_lines(tail, self.log)}"
            )

    def kill(self) -> None:
        """End the running commands and everything they have started."""
        for child in self._children:
            # It may have ended in this very moment.
            with suppress(ProcessLookupError):
                if child.returncode is None:
                    os.killpg(child.pid, signal.SIGKILL)

    def _start(
        self, command: Sequence[str], cwd: Path | None, environ: Mapping[str, str] | None
    ) -> "subprocess.Popen[str]":
        try:
            child = subprocess.Popen(
                command,
                cwd=cwd,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
                pass_fds=() if self.lock is None else (self.lock,),
            )
        except OSError as error:
            raise UserError(
                f"{self.label}: {command[0]} should start (got: {error.strerror}). "
                "Install it, or repair it, and run this again."
            ) from None
        self._children.append(child)
        if self.stop.is_set():
            self.kill()
        return child


def quote_lines(lines: Iterable[str], log: Path) -> str:
    """The end of an output below a message, and where all of it is."""
    return "".join(f"\n    {line}" for line in lines) + f"\n    Whole output: {log}"
