"""What the user sees: a line per event, and on a terminal one live line below them."""

import sys
import threading
import time
from collections.abc import Callable
from typing import TextIO

from toolchain.setup.errors import SetupError

_SPARSE_SECONDS = 20
_CLEAR_LINE = "\r\x1b[K"


class Console:
    """Thread-safe writer of progress, to stderr if not given; live only on a terminal."""

    def __init__(self, stream: TextIO | None = None, *, columns: int = 100) -> None:
        self._stream = stream or sys.stderr
        self._columns = columns
        self._lock = threading.Lock()
        self._live: dict[str, str] = {}
        self._written: dict[str, float] = {}

    def say(self, line: str) -> None:
        """Write a line that stays."""
        with self._lock:
            self._redraw(f"{line}\n")

    def show(self, label: str, state: str) -> None:
        """Show how far something is: at once on a terminal, now and then elsewhere."""
        with self._lock:
            self._live[label] = state
            now = time.monotonic()
            if self._stream.isatty():
                self._redraw()
            elif now - self._written.setdefault(label, now) > _SPARSE_SECONDS:
                self._written[label] = now
                self._redraw(f"{label}: {state}\n")

    def end(self, label: str) -> None:
        """Take something off the live line."""
        with self._lock:
            self._live.pop(label, None)
            self._redraw()

    def _redraw(self, line: str = "") -> None:
        if self._stream.isatty():
            live = " | ".join(f"{label}: {state}" for label, state in self._live.items())
            line = f"{_CLEAR_LINE}{line}{live[: self._columns - 1]}"
        self._stream.write(line)
        self._stream.flush()


def report_mistakes(console: Console, action: Callable[[], None]) -> int:
    """Run a command of the set-up; its exit code, after a message instead of a traceback."""
    try:
        action()
    except SetupError as error:
        console.say(str(error))
        return 1
    except OSError as error:
        console.say(f"set-up: {error.filename}: should be usable (got: {error.strerror}).")
        return 1
    except KeyboardInterrupt:
        console.say("set-up: stopped; the next run goes on from here")
        return 130
    return 0
