"""Waits for a stack that has to recover by itself."""

import time

from tests.support.portal_stack import PortalStack

_POLL_SECONDS = 0.2


def wait_until_healthy(stack: PortalStack, seconds: float) -> None:
    """Wait until every container is healthy.

    Raises
    ------
    AssertionError
        Raised with what is not.
    """
    deadline = time.monotonic() + seconds
    while sick := sick_containers(stack):
        assert time.monotonic() < deadline, f"should be healthy within {seconds} s (got: {sick})"
        time.sleep(_POLL_SECONDS)


def sick_containers(stack: PortalStack) -> dict[str, str]:
    """State of every container that is not healthy, by name."""
    states = {
        str(c.name): (c.status, c.attrs["State"]["Health"]["Status"]) for c in stack.containers()
    }
    return {
        name: f"{status}, {health}"
        for name, (status, health) in states.items()
        if (status, health) != ("running", "healthy")
    }
