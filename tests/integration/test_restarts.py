"""Containers of production come back by themselves when their processes are killed."""

import os
import signal
import time

import pytest

from tests.support.portal_stack import PortalStack
from tests.support.production import portal_client
from tests.support.restarts import wait_until_healthy

HOSTNAMES = ["nginx", "app-1", "redis", "postgres", "backups"]
HEALTHY_SECONDS = 60


@pytest.mark.parametrize("hostname", HOSTNAMES)
def test_killed_container_is_healthy_again_by_itself(
    production_stack: PortalStack, hostname: str
) -> None:
    """`docker kill` counts as a stop on purpose, which no restart policy answers."""
    [container] = [
        one for one in production_stack.containers() if one.attrs["Config"]["Hostname"] == hostname
    ]
    before = container.attrs
    os.kill(before["State"]["Pid"], signal.SIGKILL)
    started = time.monotonic()
    wait_for_restart(production_stack, str(container.id), before["RestartCount"] + 1)
    wait_until_healthy(production_stack, HEALTHY_SECONDS)
    print(f"{hostname}: healthy {time.monotonic() - started:.1f} s after SIGKILL")
    container.reload()
    assert container.attrs["HostConfig"]["PidsLimit"] == before["HostConfig"]["PidsLimit"] > 0
    with portal_client(production_stack) as client:
        assert client.get("/health").status_code == 200


def wait_for_restart(stack: PortalStack, container: str, count: int) -> None:
    deadline = time.monotonic() + HEALTHY_SECONDS
    while stack.client.containers.get(container).attrs["RestartCount"] < count:
        assert time.monotonic() < deadline, "the engine should start it again"
        time.sleep(0.1)


def test_plan_finds_nothing_to_do_after_the_restarts(production_stack: PortalStack) -> None:
    assert set(production_stack.preview(refresh=True)) == {"same"}
