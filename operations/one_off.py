"""A command in a new container of the portal's image, or in a new task on a swarm: `make run`.

The container has the configuration, the secrets, the networks and the limits of the portal's own,
but no port, no name on the network and no health check: nothing takes it for a replica.
"""

import argparse
import os
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from docker import DockerClient
from docker.errors import APIError, NotFound
from docker.models.containers import Container

from infra.engine.service_state import RUNNING, ServiceError, WantedService, await_service
from infra.errors import UserError
from infra.naming import OWNER_LABEL, PROJECT, ROLE_LABEL, STACK_LABEL
from infra.settings.external import ROLES_JOB
from operations.containers import connect_engine, list_containers, read_file, run_docker
from operations.inside import attach, refuse_no_command
from operations.stack import Stack
from operations.swarm import list_services
from operations.terminal import is_on_terminal

_MODELS = ("app", "migrations", ROLES_JOB)
_COPIED = ("Env", "User", "WorkingDir", "StopSignal")
_RUN_ROLE = "run"
_WAITING = ("sleep", str(24 * 3600))
"""Does nothing by itself; it ends at last even if nobody removes it."""
_READY_SECONDS = 120
_SERVICE_LABEL = "com.docker.swarm.service.id"


def run_command(stack: Stack, options: argparse.Namespace) -> int:
    """`make run`: a command as a shell reads it; its exit code."""
    if not options.cmd.strip():
        refuse_no_command(stack, "run")
    if options.role not in _MODELS:
        raise UserError(
            f"role: should be one of {', '.join(_MODELS)} (got '{options.role}'). Choose one of "
            "them."
        )
    return run_like(stack, options.role, ["sh", "-c", options.cmd])


def run_like(stack: Stack, role: str, command: Sequence[str]) -> int:
    """Run a command in a new container that is described like those of `role`; its exit code.

    The container goes afterwards; when this process is killed, with the next `up` or `down`.
    """
    if stack.is_on_swarm:
        with _running_task(stack, role) as task:
            return attach(stack, task, command)
    with _made_like(stack, role, command, on_terminal=is_on_terminal()) as made:
        return run_docker(stack, "start", "--attach", "--interactive", made)


@contextmanager
def running_like(stack: Stack, role: str) -> Iterator[Container]:
    """Such a container while the block runs, to run commands in; it does nothing by itself."""
    if stack.is_on_swarm:
        with _running_task(stack, role) as task:
            yield task
        return
    with _made_like(stack, role, _WAITING, on_terminal=False) as made:
        container = connect_engine(stack).containers.get(made)
        container.start()
        yield container


def read_secret(stack: Stack, role: str, name: str) -> str:
    """A secret as the containers of a role have it, running or not; it is in no output.

    Raises UserError when they have none.
    """
    if stack.is_on_swarm:
        # Swarm shows a secret to tasks alone, and those of the role may be on another node.
        with _running_task(stack, role) as task:
            return _read_secret(task, name)
    return _read_secret(list_containers(stack, role)[0], name)


def _read_secret(container: Container, name: str) -> str:
    try:
        return read_file(container, f"/run/secrets/{name}").strip()
    except NotFound:
        raise UserError(
            f"container '{container.name}': should have the secret {name} (got none). Run "
            "`make up`, which writes it again."
        ) from None


@contextmanager
def _made_like(
    stack: Stack, role: str, command: Sequence[str], *, on_terminal: bool
) -> Iterator[str]:
    # A replica that failed may be there as well, of an image that does not work.
    model = min(list_containers(stack, role), key=lambda container: container.status != "running")
    client = connect_engine(stack)
    networks = list(model.attrs["NetworkSettings"]["Networks"])
    if not networks:
        raise UserError(
            f"container '{model.name}': should be on its networks (got none). Run `make up "
            f"STACK={stack.name}`, which connects it again."
        )
    description = describe(model, stack.name, command, networks[0], on_terminal=on_terminal)
    made = client.api.create_container_from_config(description, _make_name(stack.name))["Id"]
    try:
        # Engines before API 1.44 take one network with the description.
        for network in networks[1:]:
            client.api.connect_container_to_network(made, network)
        yield made
    finally:
        # The engine has removed it by then, or is about to.
        with suppress(APIError):
            client.api.remove_container(made, force=True)


def describe(
    model: Container, stack: str, command: Sequence[str], network: str, *, on_terminal: bool
) -> dict[str, Any]:
    """A container like `model`, as the engine's API takes it."""
    own, host = model.attrs["Config"], model.attrs["HostConfig"]
    return {
        **{key: own.get(key) for key in _COPIED},
        "Image": model.attrs["Image"],
        "Hostname": _RUN_ROLE,
        # Not the image's entrypoint: that would migrate first.
        "Entrypoint": list(command),
        # Without the label of a specification it is none of the stack's own containers.
        "Labels": _make_labels(stack),
        "Healthcheck": {"Test": ["NONE"]},
        "Tty": on_terminal,
        **dict.fromkeys(("OpenStdin", "StdinOnce", "AttachStdin"), True),
        **dict.fromkeys(("AttachStdout", "AttachStderr"), True),
        "HostConfig": {
            **host,
            "NetworkMode": network,
            "PortBindings": {},
            "RestartPolicy": {"Name": "no"},
            "AutoRemove": True,
        },
        "NetworkingConfig": {"EndpointsConfig": {network: {}}},
    }


def _make_name(stack: str) -> str:
    """One that nothing else has."""
    return f"{PROJECT}-{stack}-{_RUN_ROLE}-{secrets.token_hex(4)}"


def _make_labels(stack: str) -> dict[str, str]:
    """With the owner the next `up` or `down` removes it if this process is killed."""
    owner = f"{os.getpid()}@{socket.gethostname()}"
    return {STACK_LABEL: stack, ROLE_LABEL: _RUN_ROLE, OWNER_LABEL: owner}


@contextmanager
def _running_task(stack: Stack, role: str) -> Iterator[Container]:
    """Such a task's container while the block runs; it does nothing by itself.

    Raises UserError when the stack has no service of that role, or the task does not start.
    """
    client, [model] = connect_engine(stack), list_services(stack, [role])
    name = _make_name(stack.name)
    template = describe_task(model.attrs["Spec"]["TaskTemplate"], client.info()["Swarm"]["NodeID"])
    made = client.api.create_service(
        template,
        name,
        labels=_make_labels(stack.name),
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


def describe_task(template: dict[str, Any], node: str) -> dict[str, Any]:
    """A task like those of `template`, on that node; no name of theirs on a network is its own."""
    return {
        **template,
        "ContainerSpec": {
            **template["ContainerSpec"],
            "Hostname": _RUN_ROLE,
            # Not the image's entrypoint: that would migrate first.
            "Command": [*_WAITING],
            "Args": None,
            # Without the role it is taken for none of the stack's own.
            "Labels": {},
            "Healthcheck": {"Test": ["NONE"]},
        },
        "Networks": [{"Target": network["Target"]} for network in template["Networks"]],
        "RestartPolicy": {"Condition": "none"},
        "Placement": {"Constraints": [f"node.id=={node}"]},
    }
