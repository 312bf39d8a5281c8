"""Nodes of a swarm that go away and come back: what is served meanwhile, and what is lost."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import docker
import httpx
import pytest

from benchmarks.harness.portal_stack import PortalStack, PulumiFailed
from benchmarks.harness.production import portal_client
from tests.integration.swarm.conftest import Swarm
from tests.support.second_engine import SecondEngine
from tests.support.swarm_load import running_tasks, send, task_ids, versions
from tests.support.swarm_nodes import (
    KNOWN_SECONDS,
    cut_power,
    has_leader,
    has_no_leader,
    list_nodes,
    node_id,
    promote,
    unheard,
)
from tests.support.waiting import wait_for


@pytest.fixture(autouse=True)
def _nodes_are_back(stack: PortalStack, swarm: Swarm) -> Iterator[None]:
    """Afterwards, whatever became of the test."""
    yield
    for node in swarm.nodes:
        if node.process is None:
            node.start()
    await_ready(swarm.manager, 3)
    for node in swarm.nodes:
        # The leader finds a manager that was away later than Swarm finds the node.
        wait_for(partial(has_leader, node), timeout_seconds=KNOWN_SECONDS)
        with portal_client(stack, node.address) as client:
            wait_for(lambda: answer(client, "/health") == 200, timeout_seconds=KNOWN_SECONDS)


def await_ready(manager: SecondEngine, count: int) -> None:
    """Wait until that manager knows that so many nodes are ready."""
    client = docker.DockerClient(base_url=manager.host)
    wait_for(
        lambda: states(client).count("ready") == count,
        timeout_seconds=KNOWN_SECONDS,
        got=lambda: (states(client), client.info()["Swarm"].get("Error")),
    )


def states(client: docker.DockerClient) -> list[str]:
    """Of the nodes."""
    return [node["Status"]["State"] for node in list_nodes(client)]


def is_spread(stack: PortalStack, gone: str) -> Callable[[], bool]:
    """Whether all tasks that there should be run, and none on the node that has gone."""

    def look() -> bool:
        nodes = [task["NodeID"] for task in running_tasks(stack)]
        return gone not in nodes and len(nodes) == stack.settings["app"]["replicas"]

    return look


def test_portal_of_a_worker_that_dies_runs_elsewhere_and_only_its_own_posts_fail(
    stack: PortalStack, swarm: Swarm
) -> None:
    _, other, worker = swarm.nodes
    gone = node_id(worker)
    with send(stack, [other]) as orders:
        cut_power(worker)
        wait_for(is_spread(stack, gone), timeout_seconds=KNOWN_SECONDS)
    # A POST that it had is not sent to another task: nobody knows what became of it.
    failed = {reason: count for reason, count in orders.failures.items() if "GET" in reason}
    assert (failed, orders.compare()) == ({}, (0, 0))
    assert orders.failures.total() <= orders.connections
    with send(stack, [other]) as orders:
        pass
    assert orders.failures == {}


def answer(client: httpx.Client, path: str) -> int:
    """The status; 0 while nothing listens: a manager that is back may replace nginx's tasks."""
    try:
        return client.get(path).status_code
    except httpx.TransportError:
        return 0


def test_stores_come_back_with_their_node_and_its_data(stack: PortalStack, swarm: Swarm) -> None:
    manager, other, _ = swarm.nodes
    with send(stack, [other]) as orders:
        pass
    cut_power(manager)
    with portal_client(stack, other.address) as client:
        wait_for(lambda: answer(client, "/livez") == 200)
        wait_for(lambda: answer(client, "/health") == 503)
        manager.start()
        wait_for(lambda: answer(client, "/health") == 200, timeout_seconds=KNOWN_SECONDS)
    assert (orders.failures, orders.compare()) == ({}, (0, 0))
    await_ready(manager, 3)
    with send(stack, [other]) as orders:
        pass
    assert orders.compare() == (0, 0)


def test_stack_goes_on_and_is_updated_without_one_of_three_managers(
    stack: PortalStack, swarm: Swarm
) -> None:
    manager, *others = swarm.nodes
    promote(swarm.nodes)
    gone = node_id(others[0])
    before = task_ids(stack)
    cut_power(others[0])
    await_ready(manager, 2)
    with send(stack, [others[1]]) as orders:
        stack.change_app(version="without")
    assert (orders.failures, orders.compare()) == ({}, (0, 0))
    assert versions(stack) == ["without"] * 3
    assert before.isdisjoint(task_ids(stack))
    assert gone not in {task["NodeID"] for task in running_tasks(stack)}


def test_update_outlasts_an_election(stack: PortalStack, swarm: Swarm, tmp_path: Path) -> None:
    """Before the managers may have changed their leader: it is the stack's that has to give up."""
    manager, *others = swarm.nodes
    promote(swarm.nodes)
    stack.configure(app={**stack.settings["app"], "version": "back"})
    events = tmp_path / "events"
    options = ("--yes", "--skip-preview", "--event-log", str(events))
    with ThreadPoolExecutor() as beside:
        changing = beside.submit(stack.pulumi, "up", *options)
        # The program has found the managers well.
        wait_for(lambda: "infra:SwarmStack" in read(events))
        with unheard(others):
            wait_for(lambda: has_no_leader(manager), timeout_seconds=KNOWN_SECONDS)
        said = changing.result()
    assert "retrying update due to on-error hook request (1/" in said
    assert versions(stack) == ["back"] * 3
    assert set(stack.preview(refresh=True)) == {"same"}


def test_lost_majority_of_managers_is_said_before_anything_changes(
    stack: PortalStack, swarm: Swarm
) -> None:
    manager, *others = swarm.nodes
    promote(swarm.nodes)
    settings, before = stack.settings["app"], running_there(stack)
    for node in others:
        cut_power(node)
    wait_for(lambda: has_no_leader(manager), timeout_seconds=KNOWN_SECONDS)
    with pytest.raises(PulumiFailed) as caught:
        stack.change_app(version="never")
    said = " ".join(str(caught.value).split())
    assert (
        "swarm: should have a majority of its managers (got: The swarm does not have a leader. "
        "It's possible that too few managers are online. Make sure more than half of the managers "
        "are online). Bring them back, or see `docker swarm init --force-new-cluster`."
    ) in said
    stack.configure(app=settings)
    assert running_there(stack) == before


def running_there(stack: PortalStack) -> set[str]:
    """Ids of the stack's containers on the stores' node."""
    return {str(container.id) for container in stack.containers()}


def read(events: Path) -> str:
    """What Pulumi has written of them by now."""
    return events.read_text() if events.exists() else ""
