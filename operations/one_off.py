"""A command in a new container of the portal's image: `make run`.

The container has the configuration, the secrets, the networks and the limits of the portal's own,
but no port, no name on the network and no health check: nothing takes it for a replica.
"""

import argparse
import secrets
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from docker.errors import APIError
from docker.models.containers import Container

from infra.errors import UserError
from infra.naming import PROJECT, ROLE_LABEL, STACK_LABEL
from operations.containers import connect_engine, list_containers
from operations.inside import is_on_terminal, refuse_no_command
from operations.stack import Stack
from operations.terminal import run_in_front

_ROLE = "run"
_MODELS = ("app", "migrations")
_COPIED = ("Env", "User", "WorkingDir", "StopSignal")


def run_command(stack: Stack, options: argparse.Namespace) -> int:
    """`make run`: a command as a shell reads it; its exit code."""
    if not options.cmd.strip():
        refuse_no_command(stack, "run")
    if options.role not in _MODELS:
        raise UserError(
            f"role: should be one whose image is the portal's: {', '.join(_MODELS)} (got "
            f"'{options.role}'). Choose one of them."
        )
    return run_like(stack, options.role, ["sh", "-c", options.cmd])


def run_like(stack: Stack, role: str, command: Sequence[str]) -> int:
    """Run a command in a new container that is described like those of `role`; its exit code.

    The container goes afterwards, also when this process is killed.
    """
    # A replica that failed may be there as well, of an image that does not work.
    model = min(list_containers(stack, role), key=lambda container: container.status != "running")
    client = connect_engine(stack)
    networks = list(model.attrs["NetworkSettings"]["Networks"])
    name = f"{PROJECT}-{stack.name}-{_ROLE}-{secrets.token_hex(4)}"
    description = describe(model, stack.name, command, networks[0], on_terminal=is_on_terminal())
    made = client.api.create_container_from_config(description, name)["Id"]
    try:
        # Engines before API 1.44 take one network with the description.
        for network in networks[1:]:
            client.api.connect_container_to_network(made, network)
        words = ["docker", "start", "--attach", "--interactive", made]
        environ = stack.engine_environ
        return run_in_front(words, cwd=stack.root, environ=environ, interactive=True)
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
        "Hostname": _ROLE,
        # Not the image's entrypoint: that would migrate first.
        "Entrypoint": list(command),
        # Without the label of a specification it is none of the stack's own containers.
        "Labels": {STACK_LABEL: stack, ROLE_LABEL: _ROLE},
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
