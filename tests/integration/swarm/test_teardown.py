"""The end of a stack on a swarm; the last file of this folder, which removes what they share."""

from typing import Any

import docker

from benchmarks.harness.portal_stack import PortalStack
from tests.integration.swarm.conftest import Swarm
from tests.support.make import succeed
from tests.support.waiting import wait_for

_TASK = "com.docker.swarm.task.id"


def test_down_leaves_nothing_on_any_node(stack: PortalStack, swarm: Swarm) -> None:
    clients = [docker.DockerClient(base_url=node.host) for node in swarm.nodes]
    tasks = {task["ID"] for task in stack.client.api.tasks()}
    assert all(of_stack(client, stack, tasks) for client in clients)
    succeed(stack, "down", ARGS="--yes")
    # A task on another node serves on for some seconds before it leaves.
    wait_for(
        lambda: not any(of_stack(client, stack, tasks) for client in clients),
        got=lambda: [of_stack(client, stack, tasks) for client in clients],
    )


def of_stack(
    client: docker.DockerClient, stack: PortalStack, tasks: set[str]
) -> dict[str, list[Any]]:
    """What an engine holds of the stack, but for images, which other nodes keep as a cache.

    And but for what has ended of tasks that Swarm has forgotten: nodes that were without power keep
    some of that (moby#42723).
    """
    mine: dict[str, Any] = {"filters": {"label": f"devportal.stack={stack.name}"}}
    containers = client.containers.list(all=True, ignore_removed=True, **mine)
    found: dict[str, list[Any]] = {
        "containers": [
            (one.name, one.attrs["State"])
            for one in containers
            if one.status == "running" or one.labels.get(_TASK, "") in {*tasks, ""}
        ],
        "networks": client.networks.list(**mine),
        "volumes": client.volumes.list(**mine),
    }
    if client.info()["Swarm"]["ControlAvailable"]:
        found["services"] = client.services.list(**mine)
        found["secrets"] = client.secrets.list(**mine)
        found["configs"] = client.configs.list(**mine)
    return {kind: items for kind, items in found.items() if items}
