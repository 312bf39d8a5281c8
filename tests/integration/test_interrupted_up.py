"""An `up` killed in the middle is repaired by the next."""

import os
import signal
import subprocess

import httpx

from benchmarks.harness.portal_stack import PortalStack
from tests.support.waiting import wait_for


def start(stack: PortalStack, *command: str) -> "subprocess.Popen[bytes]":
    """Run a command in a process group of its own."""
    return subprocess.Popen(
        command,
        cwd=stack.project,
        env=stack.environment,
        stdout=stack.log.open("ab"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def wait_for_container(stack: PortalStack, role: str, running: "subprocess.Popen[bytes]") -> None:
    def look() -> bool:
        assert running.poll() is None, stack.log.read_text()[-4000:]
        return bool(stack.containers(role))

    wait_for(look, timeout_seconds=120)


def test_up_that_is_killed_is_repaired_by_the_next(empty_stack: PortalStack) -> None:
    """Pulumi alone is killed first, then a `make up` with all that it has started."""
    make_up = ("make", "up", f"STACK={empty_stack.name}")
    alone = start(
        empty_stack, "pulumi", "up", "--yes", "--skip-preview", "--stack", empty_stack.name
    )
    wait_for_container(empty_stack, "postgres", alone)
    alone.kill()
    alone.wait()
    whole = start(empty_stack, *make_up)
    wait_for_container(empty_stack, "app", whole)
    os.killpg(whole.pid, signal.SIGKILL)
    whole.wait()
    repaired = start(empty_stack, *make_up).wait()
    assert repaired == 0, empty_stack.log.read_text()[-4000:]
    assert len(empty_stack.containers()) == 5
    assert httpx.get(empty_stack.output("health_url")).status_code == 200
    assert set(empty_stack.preview()) == {"same"}
