"""A task of a service's description, on the stack's manager, to run commands in."""

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from docker import DockerClient
from docker.models.containers import Container

from infra.engine.service_state import RUNNING, ServiceError, WantedService, await_service
from infra.errors import UserError
from infra.naming import OWNER_LABEL, PROJECT, ROLE_LABEL, STACK_LABEL
from operations.containers import connect_engine
from operations.stack import Stack
from operations.swarm import list_services

RUN_ROLE = "run"
WAITING = ("sleep", str(24 * 3600))
"""Does nothing by itself; it ends at last even if nobody removes it."""
_READY_SECONDS = 120
_SERVICE_LABEL = "com.docker.swarm.service.id"


def make_name(stack: str) -> str:
    """One that nothing else has."""
    return f"{PROJECT}-{stack}-{RUN_ROLE}-{secrets.token_hex(4)}"


def make_labels(stack: str) -> dict[str, str]:
    """With the owner the next `up` or `down` removes it if this process is killed."""
    owner = f"{os.getpid()}@{socket.gethostname()}"
    return {STACK_LABEL: stack, ROLE_LABEL: RUN_ROLE, OWNER_LABEL: owner}


@contextmanager
def running_task(stack: Stack, role: str) -> Iterator[Container]:
    """Such a task's container while the block runs; it does nothing by itself.

    Raises UserError when the stack has no service of that role, or the task does not start.
    """
    client, [model] = connect_engine(stack), list_services(stack, [role])
    name = make_name(stack.name)
    template = describe(model.attrs["Spec"]["TaskTemplate"], client.info()["Swarm"]["NodeID"])
    made = client.api.create_service(
        template,
        name,
        labels=make_labels(stack.name),
        mode={"Replicated": {"Replicas": 1}},
        endpoint_spec={"Mode": "dnsrr"},
    )["ID"]
    try:
        yield _await_container(client, made, name)
    finally:
        client.api.remove_service(made)


def _await_container(client: DockerClient, service: str, name: str) -> Container:
    wanted = WantedService(service, name, RUNNING, tasks=1, wait_seconds=_READY_SECONDS)
    try:
        await_service(client, wanted)
    except ServiceError as error:
        raise UserError(str(error)) from None
    [container] = client.containers.list(filters={"label": f"{_SERVICE_LABEL}={service}"})
    return container


def describe(template: dict[str, Any], node: str) -> dict[str, Any]:
    """A task like those of `template`, on that node; no name of theirs on a network is its own."""
    return {
        **template,
        "ContainerSpec": {
            **template["ContainerSpec"],
            "Hostname": RUN_ROLE,
            # Not the image's entrypoint: that would migrate first.
            "Command": [*WAITING],
            "Args": None,
            # Without the role it is taken for none of the stack's own.
            "Labels": {},
            "Healthcheck": {"Test": ["NONE"]},
        },
        "Networks": [{"Target": network["Target"]} for network in template["Networks"]],
        "RestartPolicy": {"Condition": "none"},
        "Placement": {"Constraints": [f"node.id=={node}"]},
    }
