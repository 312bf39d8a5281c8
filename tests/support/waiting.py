"""Waiting for what happens elsewhere, and not a moment longer."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def wait_for(
    ask: Callable[[], Found | None],
    *,
    timeout_seconds: float = 60,
    got: Callable[[], object] = lambda: "nothing",
) -> Found:
    """What `ask` finds.

    Parameters
    ----------
    got
        Called when the time is up: what there is instead.

    Raises
    ------
    AssertionError
        Raised when it finds nothing in time.
    """
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        if found := ask():
            return found
        time.sleep(0.02)
    raise AssertionError(f"should come true within {timeout_seconds:g} s (got: {got()})")
