"""The health probes: the portal's against servers that answer, refuse and hang up."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import pytest

from tests.support.fake_programs import FakePrograms
from tests.unit.docker.conftest import load_program, run_script


@pytest.fixture
def probe() -> ModuleType:
    return load_program("app/healthcheck.py")


@contextmanager
def server(answer: bytes) -> Iterator[tuple[str, int]]:
    """Give every connection the same answer, whatever it asks."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()
        thread.join()


@pytest.mark.parametrize(
    ("answer", "code", "told"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nwell", 0, "well\n"),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\npostgres is away", 1, "postgres is away\n"),
        (b"", 1, "\n"),
    ],
)
def test_probe_goes_by_the_status_and_tells_the_body(
    probe: ModuleType,
    answer: bytes,
    code: int,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with server(answer) as address:
        monkeypatch.setattr(probe, "_ADDRESS", address)
        assert probe.main() == code
    assert capsys.readouterr().out == told


def test_probe_tells_that_nobody_answers(
    probe: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(probe, "_ADDRESS", ("127.0.0.1", 1))
    assert probe.main() == 1
    assert capsys.readouterr().out == (
        "http://127.0.0.1:8000/startupz: should answer (got: [Errno 111] Connection refused).\n"
    )


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize(
    ("role", "program", "body", "code"),
    [
        ("redis", "redis-cli", "echo PONG", 0),
        ("redis", "redis-cli", "echo LOADING Redis is loading the dataset in memory", 1),
        ("redis", "redis-cli", "exit 1", 1),
        ("postgres", "pg_isready", "exit 0", 0),
        ("postgres", "pg_isready", "exit 2", 2),
        ("nginx", "curl", "exit 0", 0),
        ("nginx", "curl", "exit 22", 22),
        ("backups", "backups", '[ "$*" = health ]', 0),
        ("prometheus", "promtool", '[ "$*" = "query instant http://127.0.0.1:9090 1" ]', 0),
    ],
)
def test_health_of_a_server_is_what_its_own_program_says(
    programs: FakePrograms, role: str, program: str, body: str, code: int
) -> None:
    programs.put(program, body)
    assert run_script(f"{role}/healthcheck.sh", programs=programs).returncode == code
