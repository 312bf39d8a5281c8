"""Waits for a stack that has to recover by itself."""

import time
from typing import Any

from benchmarks.harness.portal_stack import PortalStack

_POLL_SECONDS = 0.2


def wait_until_healthy(stack: PortalStack, seconds: float) -> None:
    """Wait until every container is healthy, and every job done.

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
    """State of every container that is not as it should be, by name: healthy, or a job done."""
    states = {str(c.name): _describe(c.attrs["State"]) for c in stack.containers()}
    good = {"running, healthy", "exited, code 0"}
    return {name: state for name, state in states.items() if state not in good}


def _describe(state: dict[str, Any]) -> str:
    if health := state.get("Health"):
        return f"{state['Status']}, {health['Status']}"
    return f"{state['Status']}, code {state['ExitCode']}"
