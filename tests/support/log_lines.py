"""What a production stack logs of one request."""

import json

from benchmarks.harness.portal_stack import PortalStack
from tests.support.waiting import wait_for


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
