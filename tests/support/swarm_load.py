"""A stack on the tests' swarm, what the swarm runs of it, and orders sent to its edge nodes."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from docker import DockerClient
from docker.errors import APIError
from docker.models.containers import Container

from benchmarks.harness.load import Load
from benchmarks.harness.portal_stack import PortalStack
from benchmarks.harness.production import trust
from benchmarks.rolling import compare_orders, send_orders
from infra.engine.client import is_by_election
from infra.naming import container_labels
from tests.support.second_engine import SecondEngine
from tests.support.waiting import wait_for

_CONNECTIONS = 4


class SwarmPortalStack(PortalStack):
    """Its containers are those that run on the stores' node: Swarm keeps some that have ended."""

    def containers(self, role: str | None = None) -> list[Container]:
        return list_tasks(self.client, self.name, role)

    def image_id(self, role: str) -> str:
        """As of every stack; the portal's is given, and its tasks may be on other nodes."""
        if role != "app":
            return super().image_id(role)
        return str(self.client.images.get(self.settings["app"]["image"]).id)


def list_tasks(client: DockerClient, stack: str, role: str | None = None) -> list[Container]:
    """The running containers of a stack's tasks on one node."""
    labels = container_labels(stack, role, of_tasks=True)
    return client.containers.list(filters={"label": labels}, ignore_removed=True)


class Orders:
    """GETs and POSTs to some edge nodes at a time; each POST is another order."""

    def __init__(self, stack: PortalStack, nodes: Sequence[SecondEngine]) -> None:
        port = stack.settings["ports"]["https"]
        self._stack = stack
        self.loads = [
            Load(
                port,
                trust(stack),
                _CONNECTIONS,
                fresh_every=2,
                requests=send_orders,
                address=node.address,
                # Three engines and the load share a machine.
                pause_seconds=0.05,
            )
            for node in nodes
        ]

    @property
    def connections(self) -> int:
        return sum(load.connections for load in self.loads)

    @property
    def answered(self) -> int:
        return sum(load.answered for load in self.loads)

    @property
    def failures(self) -> Counter[str]:
        """Requests that had another answer than when nothing happens, or none."""
        return sum((load.failures for load in self.loads), Counter())

    def compare(self) -> tuple[int, int]:
        """How many were carried out twice, how many accepted ones are not in the database."""
        accepted = [path for load in self.loads for path in load.accepted]
        assert len(accepted) > 20
        return compare_orders(self._stack, accepted)


@contextmanager
def send(stack: PortalStack, nodes: Sequence[SecondEngine]) -> Iterator[Orders]:
    """Orders without a pause from here on; the portal is the probe."""
    orders = Orders(stack, nodes)
    with ExitStack() as running:
        for load in orders.loads:
            running.enter_context(load)
        orders.loads[0].wait_for_goal()
        yield orders


def running_tasks(stack: PortalStack, role: str = "app") -> list[dict[str, Any]]:
    """Tasks of the portal, or of another role, that are to run and do."""
    [tasks] = wait_for(lambda: _wanted_tasks(stack, role))
    return [task for task in tasks if task["Status"]["State"] == "running"]


def _wanted_tasks(stack: PortalStack, role: str) -> list[list[dict[str, Any]]]:
    """One list, or none while the managers elect a leader."""
    try:
        service = stack.client.services.get(f"devportal-{stack.name}-{role}")
        return [service.tasks(filters={"desired-state": "running"})]
    except APIError as error:
        if is_by_election(str(error)):
            return []
        raise


def task_ids(stack: PortalStack, role: str = "app") -> set[str]:
    """Of those tasks."""
    return {task["ID"] for task in running_tasks(stack, role)}


def versions(stack: PortalStack) -> list[str]:
    """Of each task of the portal that runs."""
    return sorted(_variables(task)["APP_VERSION"] for task in running_tasks(stack))


def _variables(task: dict[str, Any]) -> dict[str, str]:
    return dict(line.split("=", 1) for line in task["Spec"]["ContainerSpec"]["Env"])
