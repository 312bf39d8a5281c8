"""Waits for a stack that has to recover by itself."""

from docker.errors import APIError
from docker.models.containers import Container

from benchmarks.harness.portal_stack import PortalStack
from tests.support.waiting import wait_for


def wait_until_healthy(stack: PortalStack, seconds: float) -> None:
    """Wait until every container is healthy by its own check now, and every job done."""
    wait_for(
        lambda: not sick_containers(stack),
        timeout_seconds=seconds,
        got=lambda: sick_containers(stack),
    )


def sick_containers(stack: PortalStack) -> dict[str, str]:
    """State of every container that is not as it should be, by name: healthy, or a job done."""
    states = {str(c.name): _describe(c) for c in stack.containers()}
    good = {"running, healthy", "exited, code 0"}
    return {name: state for name, state in states.items() if state not in good}


def _describe(container: Container) -> str:
    state = container.attrs["State"]
    if state["Status"] != "running":
        return f"{state['Status']}, code {state['ExitCode']}"
    try:
        # The engine's next probe may be some seconds away.
        checked = container.exec_run(["healthcheck"])
    except APIError as error:  # it has ended since
        return f"running, {error.explanation}"
    return "running, healthy" if checked.exit_code == 0 else f"running, {checked.output!r}"
