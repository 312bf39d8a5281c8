"""Processes the host started: all are told to stop before it ends."""

import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

GRACE_SECONDS = 5.0
"""How long a process may take to end after an interrupt; Pulumi's own host waits as long."""

AtCallEnd = Callable[[Callable[[], None]], bool]
"""Registers what is done when a call ends, by itself or because the engine withdraws it.

False when it has ended already.
"""


class Children:
    """The running processes of one host.

    They stay in the host's process group, which the engine interrupts as a whole, and have no
    standard input: that one is the engine's, and its end tells the host that the engine is gone.
    Each is asked to end once: a second interrupt would break into the cleaning up of the first.
    """

    def __init__(self) -> None:
        self._running: dict[subprocess.Popen[bytes], signal.Signals] = {}
        self._endings: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        """Whether the engine has cancelled what runs."""
        return self._cancelled

    def start(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        output: int | IO[bytes] | None = None,
        errors: int | IO[bytes] | None = None,
        ended_by: signal.Signals = signal.SIGINT,
    ) -> subprocess.Popen[bytes]:
        """Start a process; its output goes to the host's own unless `output` says otherwise."""
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
        )
        with self._lock:
            self._running[process] = ended_by
        if self._cancelled:
            self.end(process)
        return process

    def wait(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for the end of a process and return its exit code."""
        try:
            return process.wait()
        finally:
            with self._lock:
                self._running.pop(process, None)

    def end_with(self, process: subprocess.Popen[bytes], at_call_end: AtCallEnd) -> None:
        """See to it that a process does not outlive the engine's call."""
        if not at_call_end(lambda: self.end(process)):
            self.end(process)

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """Ask one process to end, and see to it that it does; returns at once."""
        with self._lock:
            ended_by = self._running.pop(process, None)
        if ended_by is None or process.poll() is not None:
            return
        process.send_signal(ended_by)
        ending = threading.Thread(target=_kill_after_grace, args=(process,), daemon=True)
        self._endings.append(ending)
        ending.start()

    def cancel(self) -> None:
        """Interrupt what runs as a program; plugins end with their calls."""
        self._cancelled = True
        for process, ended_by in self._snapshot().items():
            if ended_by is signal.SIGINT:
                self.end(process)

    def stop(self) -> None:
        """End every process and wait for that, at most the grace time."""
        self._cancelled = True
        for process in self._snapshot():
            self.end(process)
        for ending in self._endings:
            ending.join()

    def _snapshot(self) -> dict[subprocess.Popen[bytes], signal.Signals]:
        with self._lock:
            return dict(self._running)


def _kill_after_grace(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
