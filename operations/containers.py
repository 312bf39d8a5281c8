"""A stack's containers on its engine: `make ps`, `make logs`, and commands inside them."""

import argparse
import socket
import threading
from collections.abc import Iterable, Iterator
from typing import Any

from docker import DockerClient
from docker.models.containers import Container
from docker.utils.socket import STDOUT, frames_iter

from infra.engine.address import connect, resolve_engine
from infra.errors import UserError
from infra.naming import ROLE_LABEL, container_labels
from operations.stack import Stack
from operations.terminal import print_table


def connect_engine(stack: Stack) -> DockerClient:
    """A client of the engine that the program puts the stack on; UserError when none answers."""
    return connect(resolve_engine(stack.engine_settings, stack.environ))


def list_containers(stack: Stack, role: str | None = None) -> list[Container]:
    """The stack's containers by name, running or not; all of them or those of a role.

    Raises UserError when the stack has none, or none of that role.
    """
    found = connect_engine(stack).containers.list(
        all=True, filters={"label": container_labels(stack.name)}, ignore_removed=True
    )
    if not found:
        raise UserError(
            f"stack {stack.name}: should have containers (got none). "
            f"Run `make up STACK={stack.name}`."
        )
    chosen = [c for c in found if role in (None, c.labels[ROLE_LABEL])]
    if not chosen:
        roles = ", ".join(sorted({c.labels[ROLE_LABEL] for c in found}))
        raise UserError(
            f"role: should be one of those of stack {stack.name}: {roles} (got '{role}'). "
            "Choose one of them."
        )
    return sorted(chosen, key=lambda container: str(container.name))


def find_running(stack: Stack, role: str) -> Container:
    """The stack's running container of a role. Raises UserError when it does not run."""
    for container in list_containers(stack, role):
        if container.status == "running":
            return container
    raise UserError(
        f"stack {stack.name}: should have a running container of role {role} (got none). "
        f"Run `make up STACK={stack.name}`."
    )


def print_containers(stack: Stack, options: argparse.Namespace) -> None:
    """`make ps`: name, state, health and published ports of each."""
    print_table(("NAME", "STATE", "HEALTH", "PORTS"), *map(_describe, list_containers(stack)))


def print_logs(stack: Stack, options: argparse.Namespace) -> None:
    """`make logs`: each container's lines behind its role; with `follow`, until all stop."""
    threads = [
        threading.Thread(target=_print_log, args=(container, options), daemon=True)
        for container in list_containers(stack, options.role)
    ]
    for thread in threads:
        thread.start()
        if not options.follow:
            thread.join()
    for thread in threads:
        thread.join()


def run_inside(container: Container, *command: str) -> str:
    """Run a command to its end; its output. UserError with that output when it fails."""
    return b"".join(read_from(container, *command)).decode()


def read_from(container: Container, *command: str) -> Iterator[bytes]:
    """A command's output, piece by piece; UserError after the last piece when it fails."""
    api = _api(container)
    started = api.exec_create(container.id, list(command))["Id"]
    errors = b""
    for out, err in api.exec_start(started, stream=True, demux=True):
        errors += err or b""
        if out:
            yield out
    _check_end(api, started, command, errors)


def feed(container: Container, pieces: Iterable[bytes], *command: str) -> str:
    """Run a command with `pieces` as its standard input; its output. UserError when it fails."""
    api = _api(container)
    started = api.exec_create(container.id, list(command), stdin=True)["Id"]
    stream = api.exec_start(started, socket=True)
    try:
        for piece in pieces:
            stream._sock.sendall(piece)
        stream._sock.shutdown(socket.SHUT_WR)
    except (BrokenPipeError, ConnectionResetError):
        pass  # the command ended early; its own words tell why
    frames = list(frames_iter(stream, tty=False))
    stream.close()
    _check_end(api, started, command, b"".join(text for _, text in frames))
    return b"".join(text for number, text in frames if number == STDOUT).decode()


def _describe(container: Container) -> tuple[str, str, str, str]:
    state = container.attrs["State"]
    health = state.get("Health", {}).get("Status", "-")
    published = [
        f"{binding['HostIp']}:{binding['HostPort']}->{port.split('/')[0]}"
        for port, bindings in container.ports.items()
        for binding in bindings or ()
    ]
    return str(container.name), state["Status"], health, ", ".join(published) or "-"


def _print_log(container: Container, options: argparse.Namespace) -> None:
    role = container.labels[ROLE_LABEL]
    rest = b""
    for chunk in container.logs(stream=True, follow=options.follow, tail=options.tail):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            print(f"{role} | {line.decode(errors='replace')}", flush=True)
    if rest:
        print(f"{role} | {rest.decode(errors='replace')}", flush=True)


def _api(container: Container) -> Any:
    """The engine's own calls: the SDK's `exec_run` has neither an input nor a late exit code."""
    assert container.client is not None
    return container.client.api


def _check_end(api: Any, started: str, command: tuple[str, ...], output: bytes) -> None:
    if code := api.exec_inspect(started)["ExitCode"]:
        words = output.decode(errors="replace").strip()
        raise UserError(words or f"{command[0]}: exit code {code}")
