"""What the user sees of the set-up: a line per event, and now and then one of what goes on."""

import sys
import threading
import time
from typing import TextIO

_SPARSE_SECONDS = 15


class Console:
    """Thread-safe writer of progress, to stderr if not given."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._lock = threading.Lock()
        self._shown: dict[str, float] = {}

    def say(self, line: str) -> None:
        """Write a line."""
        with self._lock:
            print(line, file=self._stream, flush=True)

    def show(self, label: str, state: str) -> None:
        """Write how far something is, unless that was written a moment ago."""
        now = time.monotonic()
        if now - self._shown.setdefault(label, now) > _SPARSE_SECONDS:
            self._shown[label] = now
            self.say(f"{label}: {state}")
