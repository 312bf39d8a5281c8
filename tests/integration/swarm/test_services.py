"""A stack on a swarm: it answers on every edge node, and its tasks are hardened."""

from functools import partial

from benchmarks.harness.portal_stack import PortalStack
from benchmarks.harness.production import portal_client
from tests.integration.swarm.conftest import Swarm, tasks_of
from tests.support.waiting import wait_until_ok


def test_every_edge_node_answers(stack: PortalStack, swarm: Swarm) -> None:
    for node in swarm.nodes:
        with portal_client(stack, node.address) as client:
            wait_until_ok(partial(client.get, "/health"))
            assert client.get("/api/v1/entities").status_code == 200


def test_each_task_of_the_portal_is_hardened(stack: PortalStack, swarm: Swarm) -> None:
    tasks = tasks_of(stack, swarm, "app")
    assert len(tasks) == 3
    for container in tasks:
        host = container.attrs["HostConfig"]
        assert (host["ReadonlyRootfs"], host["CapDrop"]) == (True, ["ALL"])
        _, output = container.exec_run(["stat", "-c", "%a %u %g", "/run/secrets/database_url"])
        assert output == b"400 10001 10001\n"
        _, output = container.exec_run(["grep", "-E", "CapBnd|NoNewPrivs", "/proc/1/status"])
        assert output == b"CapBnd:\t0000000000000000\nNoNewPrivs:\t1\n"
