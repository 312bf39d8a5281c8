"""Commands inside a stack's containers."""

import socket
from collections.abc import Iterable, Iterator
from typing import Any

from docker.models.containers import Container
from docker.utils.socket import STDOUT, frames_iter

from operations.errors import CommandError


def run_inside(container: Container, *command: str) -> str:
    """Run a command to its end; what it printed.

    Raises
    ------
    CommandError
        Raised with what the command says when it fails.
    """
    return b"".join(read_from(container, *command)).decode()


def read_from(container: Container, *command: str) -> Iterator[bytes]:
    """What a command prints, piece by piece.

    Raises
    ------
    CommandError
        Raised after the last piece with what the command says when it fails.
    """
    api = _api(container)
    started = api.exec_create(container.id, list(command))["Id"]
    said = b""
    for out, err in api.exec_start(started, stream=True, demux=True):
        said += err or b""
        if out:
            yield out
    _check_end(api, started, command, said)


def feed(container: Container, pieces: Iterable[bytes], *command: str) -> str:
    """Run a command with `pieces` as its standard input; what it printed.

    Raises
    ------
    CommandError
        Raised with what the command says when it fails.
    """
    api = _api(container)
    started = api.exec_create(container.id, list(command), stdin=True)["Id"]
    stream = api.exec_start(started, socket=True)
    try:
        for piece in pieces:
            stream._sock.sendall(piece)
        stream._sock.shutdown(socket.SHUT_WR)
    except (BrokenPipeError, ConnectionResetError):
        # The command ended early; its own words say why.
        pass
    frames = list(frames_iter(stream, tty=False))
    stream.close()
    _check_end(api, started, command, b"".join(said for _, said in frames))
    return b"".join(said for number, said in frames if number == STDOUT).decode()


def _api(container: Container) -> Any:
    """The engine's own calls: the SDK's `exec_run` has neither an input nor a late exit code."""
    assert container.client is not None
    return container.client.api


def _check_end(api: Any, started: str, command: tuple[str, ...], said: bytes) -> None:
    if code := api.exec_inspect(started)["ExitCode"]:
        words = said.decode(errors="replace").strip()
        raise CommandError(words or f"{command[0]}: exit code {code}")
