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
    """

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._stopping = False

    @property
    def stopping(self) -> bool:
        """Whether the engine has asked for the end."""
        return self._stopping

    def start(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        output: int | IO[bytes] | None = None,
        errors: int | IO[bytes] | None = None,
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
            self._running.add(process)
        if self._stopping:
            process.send_signal(signal.SIGINT)
        return process

    def wait(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for the end of a process and return its exit code."""
        try:
            return process.wait()
        finally:
            with self._lock:
                self._running.discard(process)

    def end_with(self, process: subprocess.Popen[bytes], at_call_end: AtCallEnd) -> None:
        """See to it that a process does not outlive the engine's call."""
        if not at_call_end(lambda: self.end(process)):
            self.end(process)

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """Ask one process to end, and see to it that it does; returns at once."""
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            threading.Thread(target=kill_after_grace, args=(process,), daemon=True).start()

    def interrupt(self) -> None:
        """Ask every process to end; those started later are asked at once."""
        self._stopping = True
        for process in self._snapshot():
            process.send_signal(signal.SIGINT)

    def stop(self) -> None:
        """Ask every process to end, and kill those that do not within the grace time."""
        self.interrupt()
        for process in self._snapshot():
            kill_after_grace(process)

    def _snapshot(self) -> list[subprocess.Popen[bytes]]:
        with self._lock:
            return list(self._running)


def kill_after_grace(process: subprocess.Popen[bytes]) -> None:
    """Kill an interrupted process when it does not end within the grace time."""
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
