"""Commands inside a stack's containers."""

import socket
from collections.abc import Iterable, Iterator
from typing import Any

from docker.models.containers import Container
from docker.utils.socket import STDOUT, frames_iter

from infra.errors import UserError


def run_inside(container: Container, *command: str) -> str:
    """Run a command to its end; its output.

    Raises UserError with the command's output when it fails.
    """
    return b"".join(read_from(container, *command)).decode()


def read_from(container: Container, *command: str) -> Iterator[bytes]:
    """A command's output, piece by piece.

    Raises UserError after the last piece with the command's output when it fails.
    """
    api = _api(container)
    started = api.exec_create(container.id, list(command))["Id"]
    errors = b""
    for out, err in api.exec_start(started, stream=True, demux=True):
        errors += err or b""
        if out:
            yield out
    _check_end(api, started, command, errors)


def feed(container: Container, pieces: Iterable[bytes], *command: str) -> str:
    """Run a command with `pieces` as its standard input; its output.

    Raises UserError with the command's output when it fails.
    """
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


def _api(container: Container) -> Any:
    """The engine's own calls: the SDK's `exec_run` has neither an input nor a late exit code."""
    assert container.client is not None
    return container.client.api


def _check_end(api: Any, started: str, command: tuple[str, ...], output: bytes) -> None:
    if code := api.exec_inspect(started)["ExitCode"]:
        words = output.decode(errors="replace").strip()
        raise UserError(words or f"{command[0]}: exit code {code}")
