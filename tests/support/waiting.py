"""Waiting for what happens elsewhere, and not a moment longer."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import httpx

Found = TypeVar("Found")
_FIRST_POLL_SECONDS, _LONGEST_POLL_SECONDS = 0.02, 0.25


def wait_for(
    ask: Callable[[], Found | None],
    *,
    timeout_seconds: float = 60,
    longest_poll_seconds: float = _LONGEST_POLL_SECONDS,
    got: Callable[[], object] = lambda: "nothing",
) -> Found:
    """What `ask` finds.

    Parameters
    ----------
    longest_poll_seconds
        Shorter for what passes by.
    got
        Called when the time is up: what there is instead.

    Raises
    ------
    AssertionError
        Raised when it finds nothing in time.
    """
    deadline = time.monotonic() + timeout_seconds
    pause = _FIRST_POLL_SECONDS
    while time.monotonic() < deadline:
        if found := ask():
            return found
        time.sleep(pause)
        # What takes long needs the processor that a busy poll would take.
        pause = min(1.2 * pause, longest_poll_seconds)
    raise AssertionError(f"should come true within {timeout_seconds:g} s (got: {got()})")


def wait_until_ok(ask: Callable[[], httpx.Response]) -> None:
    """Wait until a portal is well: on a busy machine a store may have taken a moment too long.

    A connection that is new does so more often than one that has been used.
    """
    wait_for(lambda: ask().status_code == 200, timeout_seconds=10, got=lambda: ask().text)


def is_alive(process_id: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{process_id}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
