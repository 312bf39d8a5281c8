"""Production on a swarm of three engines, which all tests of this folder share."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import docker
import pytest
from docker.models.containers import Container

from benchmarks.harness.machine import TEST_STACK_PREFIX
from benchmarks.harness.portal_stack import PortalStack
from benchmarks.harness.probe_image import ORDERS_TABLE, build_probe
from benchmarks.harness.production import production_settings
from tests.support.registry import Registry, run_registry
from tests.support.second_engine import SecondEngine, lend_images, second_engine
from tests.support.swarm_load import SwarmPortalStack, list_tasks
from tests.support.switch import open_switch

_NUMBERS = (2, 3, 4)
_REGISTRY_PORT = 5000


@dataclass(frozen=True)
class Swarm:
    """Engines of one swarm; the first manages it and has the stores, every one runs nginx."""

    registry: Registry
    nodes: list[SecondEngine]

    @property
    def manager(self) -> SecondEngine:
        return self.nodes[0]


@pytest.fixture(scope="package")
def swarm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    with ExitStack() as opened:
        switch = opened.enter_context(open_switch())
        address = f"{switch.address}:{_REGISTRY_PORT}"
        folder = tmp_path_factory.mktemp("registry")
        registry = opened.enter_context(run_registry(folder, address, has_password=True))
        # As docs/swarm.md asks of every node.
        configuration = {"no-new-privileges": True, "insecure-registries": [address]}
        nodes = [
            opened.enter_context(
                second_engine(switch=switch, number=number, configuration=configuration)
            )
            for number in _NUMBERS
        ]
        _join([(node, node.start()) for node in nodes])
        yield Swarm(registry, nodes)


def tasks_of(stack: PortalStack, swarm: Swarm, role: str) -> list[Container]:
    """The running containers of a role on all nodes, which an update leaves spread unevenly."""
    return [
        container
        for node in swarm.nodes
        for container in list_tasks(docker.DockerClient(base_url=node.host), stack.name, role)
    ]


def _join(nodes: list[tuple[SecondEngine, docker.DockerClient]]) -> None:
    (first, manager), *others = nodes
    # A manager that is promoted reads the log since the last snapshot, at 64 KB a second, and the
    # swarm makes no change meanwhile: half a minute by the time that tests promote one.
    manager.swarm.init(
        advertise_addr=first.address, snapshot_interval=100, log_entries_for_slow_followers=100
    )
    token = manager.swarm.attrs["JoinTokens"]["Worker"]
    for node, client in others:
        client.swarm.join([f"{first.address}:2377"], token, advertise_addr=node.address)
    own = manager.info()["Swarm"]["NodeID"]
    for node in manager.nodes.list():
        labels = {"devportal.edge": "true"}
        labels |= {"devportal.store": "true"} if node.id == own else {}
        node.update({**node.attrs["Spec"], "Labels": labels})


@pytest.fixture(scope="package")
def stack(
    swarm: Swarm, production_stack: PortalStack, tmp_path_factory: pytest.TempPathFactory
) -> PortalStack:
    """Up; its portal runs the image of the other stack, as the engines can download nothing."""
    portal = lend_images(production_stack, swarm.manager)
    manager = docker.DockerClient(base_url=swarm.manager.host)
    given = production_settings()
    made = SwarmPortalStack(
        tmp_path_factory.mktemp("swarm"),
        manager,
        settings={
            **given,
            "app": {**given["app"], "image": manager.images.get(portal).id, "replicas": 3},
            "ports": {**given["ports"], "bind_address": "0.0.0.0"},
            # Three engines on one machine: a slow start is no failure.
            # Swarm goes by the engine's own probes.
            "health": {"wait_seconds": 300, "start_period_seconds": 300, "interval_seconds": 5},
            "cluster": {"mode": "swarm", "registry": swarm.registry.address},
        },
        # As long as one may be: a swarm's names may not.
        name=f"{TEST_STACK_PREFIX}{os.getpid()}-swarm".ljust(31, "x"),
        engine={"docker:host": swarm.manager.host},
    )
    swarm.registry.tell(made)
    # The portal, with addresses beside it that tests of updates and of lost nodes send orders to.
    made.configure(app={**made.settings["app"], "version": "1", "image": build_probe(made, "1")})
    made.up()
    made.query(ORDERS_TABLE)
    # It goes with its engines.
    return made
