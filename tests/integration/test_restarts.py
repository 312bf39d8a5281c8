"""Containers of production come back by themselves when their processes are killed."""

import os
import signal
import time
from functools import partial

import pytest

from benchmarks.harness.portal_stack import PortalStack
from benchmarks.harness.production import portal_client
from tests.support.restarts import wait_until_healthy
from tests.support.waiting import wait_for, wait_until_ok

pytestmark = pytest.mark.alone

HOSTNAMES = ["nginx", "app-1", "redis", "postgres", "backups"]
HEALTHY_SECONDS = 60
# Run in the portal's container, as the portal's user of Redis.
CONNECT = """
from pathlib import Path
import redis
client = redis.Redis.from_url(Path("/run/secrets/redis_url").read_text().strip())
"""
WRITE = f"""{CONNECT}
pipeline = client.pipeline(transaction=True)
pipeline.set("test:first", "first", ex=300)
pipeline.set("test:second", "second", ex=300)
pipeline.execute()
"""
READ = CONNECT + 'print(client.mget("test:first", "test:second"))'


@pytest.mark.parametrize("hostname", HOSTNAMES)
def test_killed_container_is_healthy_again_by_itself(
    production_stack: PortalStack, hostname: str
) -> None:
    """`docker kill` counts as a stop on purpose, which no restart policy answers."""
    [container] = [
        one for one in production_stack.containers() if one.attrs["Config"]["Hostname"] == hostname
    ]
    before = container.attrs
    # The engine's 0 for "does not run" is the system's "every process of this group": these tests.
    assert before["State"]["Pid"] > 0, before["State"]
    os.kill(before["State"]["Pid"], signal.SIGKILL)
    started = time.monotonic()
    wait_for(lambda: restarts(production_stack, str(container.id)) > before["RestartCount"])
    wait_until_healthy(production_stack, HEALTHY_SECONDS)
    print(f"{hostname}: healthy {time.monotonic() - started:.1f} s after SIGKILL")
    container.reload()
    assert container.attrs["HostConfig"]["PidsLimit"] == before["HostConfig"]["PidsLimit"] > 0
    with portal_client(production_stack) as client:
        wait_until_ok(partial(client.get, "/health"))


def restarts(stack: PortalStack, container: str) -> int:
    return stack.client.containers.get(container).attrs["RestartCount"]


def test_transaction_is_there_after_the_restart_of_redis(production_stack: PortalStack) -> None:
    """Redis leaves out of its file what the user `default`, who is off, would not be allowed."""
    run = production_stack.containers("app")[0].exec_run
    assert run(["python", "-c", WRITE]) == (0, b"")
    production_stack.container("redis").restart(timeout=30)
    wait_until_healthy(production_stack, HEALTHY_SECONDS)
    assert run(["python", "-c", READ]) == (0, b"[b'first', b'second']\n")


def test_plan_finds_nothing_to_do_after_the_restarts(production_stack: PortalStack) -> None:
    assert set(production_stack.preview(refresh=True)) == {"same"}
