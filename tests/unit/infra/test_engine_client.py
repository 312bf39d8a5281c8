"""What the program's client of the Docker engine does beside sending requests."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import docker
import pytest
from docker.errors import APIError

from infra.engine import client as engine_client
from infra.engine.address import EngineAddress, EngineAddressError
from infra.engine.client import connect

Answer = tuple[int, object]
VERSION: Answer = (200, {"ApiVersion": "1.41"})
LOST: Answer = (500, {"message": "rpc error: code = Unknown desc = node lost leader status"})
LEADERLESS: Answer = (503, {"message": "rpc error: desc = The swarm does not have a leader."})
OTHER: Answer = (500, {"message": "rpc error: code = Internal desc = out of disk"})


class Engine(HTTPServer):
    """Gives one answer after another, and notes what it was asked."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers, self.asked = list(answers), list[str]()

    @property
    def host(self) -> str:
        return f"tcp://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        assert isinstance(self.server, Engine)
        self.server.asked.append(f"{self.command} {self.path.removeprefix('/v1.41')}")
        status, content = self.server.answers[len(self.server.asked) - 1]
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def engine_with(*answers: Answer) -> Iterator[tuple[Engine, docker.DockerClient]]:
    """An engine that tells its version, and then answers so."""
    with Engine([VERSION, *answers]) as engine:
        answering = Thread(target=lambda: [engine.handle_request() for _ in engine.answers])
        answering.start()
        yield engine, connect(EngineAddress(engine.host))
        answering.join()


def test_engine_that_goes_away_meanwhile_is_a_message() -> None:
    with engine_with() as (engine, client):
        pass
    with pytest.raises(EngineAddressError) as caught:
        client.containers.list()
    assert str(caught.value) == (
        f"Docker engine: should answer at '{engine.host}' until the end (got no answer any more). "
        "Start it, and run this again."
    )


def test_what_is_read_during_an_election_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_client, "_POLL_SECONDS", 0.01)
    with engine_with(LOST, LEADERLESS, (200, [])) as (engine, client):
        assert client.api.nodes() == []
    assert engine.asked[1:] == ["GET /nodes"] * 3


def test_election_that_does_not_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_client, "_ELECTION_SECONDS", -1)
    with engine_with(LEADERLESS) as (_, client), pytest.raises(APIError):
        client.api.nodes()


def test_read_that_is_refused_for_another_reason_is_an_error_at_once() -> None:
    with engine_with(OTHER) as (engine, client), pytest.raises(APIError):
        client.api.nodes()
    assert engine.asked[1:] == ["GET /nodes"]


def test_change_that_an_election_refuses_is_not_sent_twice() -> None:
    with engine_with(LOST) as (engine, client), pytest.raises(APIError):
        client.api.update_node("id", 1)
    assert engine.asked[1:] == ["POST /nodes/id/update?version=1"]
