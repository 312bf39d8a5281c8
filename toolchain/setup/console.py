"""What the user sees: a line per event, and on a terminal one live line below them."""

import sys
import threading
import time
from typing import TextIO

_SPARSE_SECONDS = 20
_CLEAR_LINE = "\r\x1b[K"


class Console:
    """Thread-safe writer of the set-up's progress.

    Parameters
    ----------
    stream
        Where to write, stderr if not given; a live line is shown only if it is a terminal.
    """

    def __init__(self, stream: TextIO | None = None, *, columns: int = 100) -> None:
        self._stream = stream or sys.stderr
        self._columns = columns
        self._lock = threading.Lock()
        self._live: dict[str, str] = {}
        self._spoken: dict[str, float] = {}

    def say(self, line: str) -> None:
        """Write a line that stays."""
        with self._lock:
            self._erase()
            self._stream.write(f"{line}\n")
            self._draw()

    def show(self, label: str, state: str) -> None:
        """Tell how far something is: at once on a terminal, now and then elsewhere."""
        with self._lock:
            self._live[label] = state
            if self._stream.isatty():
                self._erase()
                self._draw()
            elif time.monotonic() - self._spoken.setdefault(label, time.monotonic()) > (
                _SPARSE_SECONDS
            ):
                self._spoken[label] = time.monotonic()
                self._stream.write(f"{label}: {state}\n")
                self._stream.flush()

    def end(self, label: str) -> None:
        """Take something off the live line."""
        with self._lock:
            self._live.pop(label, None)
            self._erase()
            self._draw()

    def _erase(self) -> None:
        if self._stream.isatty():
            self._stream.write(_CLEAR_LINE)

    def _draw(self) -> None:
        if self._live and self._stream.isatty():
            line = " | ".join(f"{label}: {state}" for label, state in self._live.items())
            self._stream.write(line[: self._columns - 1])
        self._stream.flush()
