"""A registry with a password: every node pulls with it, nobody sees it, another one takes over."""

import json
import secrets
from http import HTTPStatus
from typing import Any

import docker
import pytest
from docker.errors import APIError, ImageNotFound
from docker.models.containers import Container
from docker.models.services import Service

from benchmarks.harness.portal_stack import PortalStack, PulumiFailed
from tests.integration.swarm.conftest import Swarm
from tests.support.swarm_load import list_tasks, running_tasks
from tests.support.waiting import wait_for

_START_SECONDS = 120


def test_password_is_seen_nowhere(stack: PortalStack, swarm: Swarm) -> None:
    seen: list[Any] = [service.attrs for service in services(stack)]
    seen += [task for service in services(stack) for task in service.tasks()]
    for node in swarm.nodes:
        client = docker.DockerClient(base_url=node.host)
        seen += [container.attrs for container in client.containers.list(all=True)]
    text = json.dumps(seen) + exported(stack) + stack.log.read_text()
    assert swarm.registry.address in text
    assert swarm.registry.password not in text


def test_wrong_password_is_said_before_any_service_changes(
    stack: PortalStack, swarm: Swarm
) -> None:
    before = versions(stack)
    registry = swarm.registry
    registry.tell(stack, "not-the-password")
    with pytest.raises(PulumiFailed) as caught:
        stack.up()
    assert "not-the-password" not in str(caught.value)
    line = next(line for line in str(caught.value).splitlines() if "LoginError: " in line)
    assert line.partition("LoginError: ")[2] == (
        "devportal:cluster.registry_password: should let cluster.registry_user in at "
        f"{registry.address} (got: login attempt to http://{registry.address}/v2/ failed "
        "with status: 401 Unauthorized). Set it with `pulumi config set --secret --path "
        "devportal:cluster.registry_password`."
    )
    assert versions(stack) == before


def test_nodes_without_the_image_pull_it_with_another_password(
    stack: PortalStack, swarm: Swarm
) -> None:
    swarm.registry.let_in(secrets.token_hex())
    swarm.registry.tell(stack)
    stack.up()
    assert set(stack.preview(refresh=True)) == {"same"}
    pull_again(stack, swarm)


def exported(stack: PortalStack) -> str:
    """The state as it is kept, secrets encrypted."""
    [file] = (stack.folder / "state").rglob(f"stacks/**/{stack.name}.json")
    return file.read_text()


def pull_again(stack: PortalStack, swarm: Swarm) -> None:
    """Take the portal's image from the workers, whose tasks then need it.

    From both, as Swarm spreads tasks as it likes. The manager has what is pushed.
    """
    workers = [docker.DockerClient(base_url=node.host) for node in swarm.nodes[1:]]
    # First where nothing runs: Swarm waits 2 s before it starts a task again, there or elsewhere.
    workers.sort(key=lambda client: len(portals(client, stack)))
    reference = portals(workers[-1], stack)[0].attrs["Config"]["Image"]
    assert workers[-1].images.get(reference)
    gone: set[str] = set()
    for client in workers:
        gone |= take_away(client, stack, reference)

    def started(client: docker.DockerClient) -> bool:
        # One that is being removed is listed for a while.
        new = (one for one in portals(client, stack) if one.id not in gone)
        return any(map(is_healthy, new))

    [there, *_] = wait_for(lambda: list(filter(started, workers)), timeout_seconds=_START_SECONDS)
    assert there.images.get(reference)
    replicas = stack.settings["app"]["replicas"]
    wait_for(lambda: len(running_tasks(stack)) == replicas, timeout_seconds=_START_SECONDS)


def take_away(client: docker.DockerClient, stack: PortalStack, reference: str) -> set[str]:
    """Remove the portal's containers and its image from a node; the ids of the former."""
    gone: set[str] = set()
    while True:
        for container in portals(client, stack):
            gone.add(str(container.id))
            container.remove(force=True)
        try:
            # By its id: it may have other names there.
            client.images.remove(client.images.get(reference).id, force=True)
        except ImageNotFound:  # no task of the portal has been on this node
            return gone
        except APIError as error:
            # Swarm has been quick, and runs the next task from it.
            if error.status_code != HTTPStatus.CONFLICT:
                raise
        else:
            return gone


def portals(client: docker.DockerClient, stack: PortalStack) -> list[Container]:
    return list_tasks(client, stack.name, "app")


def is_healthy(container: Container) -> bool:
    return container.attrs["State"]["Health"]["Status"] == "healthy"


def services(stack: PortalStack) -> list[Service]:
    return stack.client.services.list(filters={"label": f"devportal.stack={stack.name}"})


def versions(stack: PortalStack) -> dict[str, int]:
    return {service.name: service.version for service in services(stack)}
