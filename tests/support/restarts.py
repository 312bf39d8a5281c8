"""Waits for a stack that has to recover by itself."""

from typing import Any

from benchmarks.harness.portal_stack import PortalStack
from tests.support.waiting import wait_for


def wait_until_healthy(stack: PortalStack, seconds: float) -> None:
    """Wait until every container is healthy, and every job done."""
    wait_for(
        lambda: not sick_containers(stack),
        timeout_seconds=seconds,
        got=lambda: sick_containers(stack),
    )


def sick_containers(stack: PortalStack) -> dict[str, str]:
    """State of every container that is not as it should be, by name: healthy, or a job done."""
    states = {str(c.name): _describe(c.attrs["State"]) for c in stack.containers()}
    good = {"running, healthy", "exited, code 0"}
    return {name: state for name, state in states.items() if state not in good}


def _describe(state: dict[str, Any]) -> str:
    if health := state.get("Health"):
        return f"{state['Status']}, {health['Status']}"
    return f"{state['Status']}, code {state['ExitCode']}"
