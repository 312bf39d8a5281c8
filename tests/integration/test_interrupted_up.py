"""An `up` killed in the middle is repaired by the next."""

import subprocess
import time

import httpx
import pytest

from tests.support.portal_stack import PortalStack

PULUMI_UP = ("pulumi", "up", "--yes", "--skip-preview", "--stack")


def start(stack: PortalStack, *command: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        cwd=stack.project,
        env=stack.environment,
        stdout=stack.log.open("ab"),
        stderr=subprocess.STDOUT,
    )


def wait_for_container(
    stack: PortalStack, role: str, running: "subprocess.Popen[bytes]", *, timeout_seconds: int = 120
) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not stack.containers(role):
        assert running.poll() is None, stack.log.read_text()[-4000:]
        assert time.monotonic() < deadline, f"no container of {role} after {timeout_seconds} s"
        time.sleep(0.02)


@pytest.mark.parametrize("role", ["postgres", "app"])
def test_killed_up_is_repaired_by_the_next(empty_stack: PortalStack, role: str) -> None:
    running = start(empty_stack, *PULUMI_UP, empty_stack.name)
    wait_for_container(empty_stack, role, running)
    running.kill()
    running.wait()
    repaired = start(empty_stack, "make", "up", f"STACK={empty_stack.name}").wait()
    assert repaired == 0, empty_stack.log.read_text()[-4000:]
    assert len(empty_stack.containers()) == 5
    assert httpx.get(empty_stack.output("health_url")).status_code == 200
    assert set(empty_stack.preview()) == {"same"}
    empty_stack.destroy()
