"""What a production stack logs of one request."""

import json
import time
from collections.abc import Callable
from typing import TypeVar

from benchmarks.harness.portal_stack import PortalStack

Found = TypeVar("Found")


def wait_for(ask: Callable[[], Found | None]) -> Found:
    """What `ask` finds, within 30 s."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if found := ask():
            return found
        time.sleep(0.05)
    raise AssertionError("nothing was found within 30 s")


def app_line(stack: PortalStack, identity: str) -> dict[str, str]:
    """The line of whichever replica answered."""
    return wait_for(
        lambda: next(
            (found for c in stack.containers("app") if (found := log_line(c.logs(), identity))),
            None,
        )
    )


def access_line(stack: PortalStack, identity: str) -> dict[str, str]:
    return wait_for(lambda: log_line(stack.container("nginx").logs(), identity))


def log_line(log: bytes, identity: str) -> dict[str, str] | None:
    lines = [line for line in log.decode().splitlines() if identity in line]
    return json.loads(lines[-1]) if lines else None
