"""A command in a new container of the portal's image: `make run`.

The container has the configuration, the secrets, the networks and the limits of the portal's own,
but no port, no name on the network and no health check: nothing takes it for a replica.
"""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from docker.errors import APIError, NotFound
from docker.models.containers import Container

from infra.errors import UserError
from infra.settings.external import ROLES_JOB
from operations.containers import connect_engine, list_containers, read_file
from operations.inside import attach, refuse_no_command
from operations.stack import Stack
from operations.swarm_job import RUN_ROLE, WAITING, make_labels, make_name, running_task
from operations.terminal import is_on_terminal, run_in_front

_MODELS = ("app", "migrations", ROLES_JOB)
_COPIED = ("Env", "User", "WorkingDir", "StopSignal")


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
        with running_task(stack, role) as task:
            return attach(stack, task, command)
    with _made_like(stack, role, command, on_terminal=is_on_terminal()) as made:
        words = ["docker", "start", "--attach", "--interactive", made]
        environ = stack.engine_environ
        return run_in_front(words, cwd=stack.root, environ=environ, interactive=True)


@contextmanager
def running_like(stack: Stack, role: str) -> Iterator[Container]:
    """Such a container while the block runs, to run commands in; it does nothing by itself."""
    if stack.is_on_swarm:
        with running_task(stack, role) as task:
            yield task
        return
    with _made_like(stack, role, WAITING, on_terminal=False) as made:
        container = connect_engine(stack).containers.get(made)
        container.start()
        yield container


def read_secret(stack: Stack, role: str, name: str) -> str:
    """A secret as the containers of a role have it, running or not; it is in no output.

    Raises UserError when they have none.
    """
    if stack.is_on_swarm:
        # Swarm shows a secret to tasks alone, and those of the role may be on another node.
        with running_task(stack, role) as task:
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
    made = client.api.create_container_from_config(description, make_name(stack.name))["Id"]
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
        "Hostname": RUN_ROLE,
        # Not the image's entrypoint: that would migrate first.
        "Entrypoint": list(command),
        # Without the label of a specification it is none of the stack's own containers.
        "Labels": make_labels(stack),
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
