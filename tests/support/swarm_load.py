"""Orders sent to edge nodes while something happens to the swarm, and what the swarm runs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from benchmarks.harness.load import Load
from benchmarks.harness.portal_stack import PortalStack
from benchmarks.harness.production import trust
from benchmarks.rolling import compare_orders, send_orders
from benchmarks.sides import Pulumi
from tests.support.second_engine import SecondEngine

_CONNECTIONS = 4


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
        return compare_orders(Pulumi(self._stack), accepted)


@contextmanager
def send(stack: PortalStack, nodes: Sequence[SecondEngine]) -> Iterator[Orders]:
    """Orders without a pause from here on; the portal is the probe."""
    orders = Orders(stack, nodes)
    with ExitStack() as running:
        for load in orders.loads:
            running.enter_context(load)
        orders.loads[0].wait_for_goal()
        yield orders


def change(stack: PortalStack, **changes: Any) -> None:
    """Bring the portal to other settings."""
    stack.configure(app={**stack.settings["app"], **changes})
    stack.up()


def running_tasks(stack: PortalStack, role: str = "app") -> list[dict[str, Any]]:
    """Tasks of the portal, or of another role, that are to run and do."""
    service = stack.client.services.get(f"devportal-{stack.name}-{role}")
    tasks: list[dict[str, Any]] = service.tasks(filters={"desired-state": "running"})
    return [task for task in tasks if task["Status"]["State"] == "running"]


def task_ids(stack: PortalStack, role: str = "app") -> set[str]:
    """Of those tasks."""
    return {task["ID"] for task in running_tasks(stack, role)}


def versions(stack: PortalStack) -> list[str]:
    """Of each task of the portal that runs."""
    return sorted(_variables(task)["APP_VERSION"] for task in running_tasks(stack))


def _variables(task: dict[str, Any]) -> dict[str, str]:
    return dict(line.split("=", 1) for line in task["Spec"]["ContainerSpec"]["Env"])
