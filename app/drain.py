"""The stop signal: readiness says no first, then the server ends what still runs."""

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any


def announce_drain(mark: Callable[[], None]) -> None:
    """Call `mark` on SIGTERM, then do what the server would have done."""
    previous: Any = signal.getsignal(signal.SIGTERM)

    def handle(number: int, frame: FrameType | None) -> None:
        mark()
        if callable(previous):
            previous(number, frame)

    try:
        signal.signal(signal.SIGTERM, handle)
    except ValueError:
        # Only a main thread may set it; a test client runs the application in another.
        return
