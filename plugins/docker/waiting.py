"""Waits for the engine by asking it again, until it is time to give up or the user cancels."""

import time
from collections.abc import Callable
from typing import TypeVar

from plugins.docker.build.cancellation import Cancellation

_T = TypeVar("_T")
POLL_SECONDS = 0.1
"""Between two questions: short beside what a person notices, long beside a call of 2 ms."""


def wait_for(
    ask: Callable[[], _T | None], cancellation: Cancellation, timeout_seconds: float
) -> _T | None:
    """The first answer that is not None, or None after the time is up.

    Raises
    ------
    CancelledError
        Raised when the user cancels.
    """
    end = time.monotonic() + timeout_seconds
    while True:
        answer = ask()
        if answer is not None or time.monotonic() >= end:
            return answer
        cancellation.raise_if_cancelled()
        time.sleep(POLL_SECONDS)
