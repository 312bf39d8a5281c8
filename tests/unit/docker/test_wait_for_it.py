"""docker/scripts/wait-for-it.sh, run as it is."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "docker" / "scripts" / "wait-for-it.sh"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", str(SCRIPT), *arguments], capture_output=True, text=True)


@pytest.fixture
def open_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed_port() -> Iterator[int]:
    # Bound but not listening: nobody else can take it, and connections are refused.
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_address_that_answers_ends_the_wait(open_port: int) -> None:
    done = run(f"127.0.0.1:{open_port}")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"wait-for-it: 127.0.0.1:{open_port} accepts connections\n"


def test_quiet_says_nothing(open_port: int) -> None:
    done = run(f"127.0.0.1:{open_port}", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")


def test_command_runs_and_gives_its_status(open_port: int) -> None:
    done = run(f"127.0.0.1:{open_port}", "-q", "--", "sh", "-c", "echo '$1' \"$0\"; exit 7", "a b")
    assert (done.returncode, done.stdout) == (7, "$1 a b\n")


@pytest.mark.parametrize("timeout", [["--timeout", "1"], ["--timeout=1"], ["-t", "1"]])
def test_time_that_is_up_is_told_with_the_reason(closed_port: int, timeout: list[str]) -> None:
    done = run(f"127.0.0.1:{closed_port}", *timeout, "--interval=0.05")
    assert done.returncode == 1
    assert done.stderr == (
        f"wait-for-it: 127.0.0.1:{closed_port} should accept connections within 1 s "
        "(got: Connection refused). Start it, or give it longer with --timeout.\n"
    )


def test_strict_runs_no_command_without_the_address(closed_port: int) -> None:
    address = f"127.0.0.1:{closed_port}"
    strict = run(address, "-s", "-t", "1", "-i", "0.05", "--", "echo", "ran")
    lax = run(address, "-t", "1", "-i", "0.05", "--", "echo", "ran")
    assert (strict.returncode, strict.stdout) == (1, "")
    assert (lax.returncode, lax.stdout) == (0, "ran\n")


def test_address_that_starts_later_is_waited_for(closed_port: int) -> None:
    """The first try is refused; the server starts once the script has said so by waiting."""
    command = ["sh", "-x", str(SCRIPT), f"127.0.0.1:{closed_port}", "-t", "60", "-i", "0.05"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as waiting:
        assert waiting.stderr is not None
        while "sleep" not in waiting.stderr.readline():
            assert waiting.poll() is None
        with socket.socket() as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            server.bind(("127.0.0.1", closed_port))
            server.listen()
            assert "accepts connections" in waiting.stderr.read()
    assert waiting.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["postgres"], "address: should be HOST:PORT (got 'postgres'). See --help."),
        (["postgres:http"], "address: should be HOST:PORT (got 'postgres:http'). See --help."),
        ([], "address: should be HOST:PORT (got ''). See --help."),
        (["a:1", "--retry"], "option: should be a known one (got '--retry'). See --help."),
        (["a:1", "--timeout"], "--timeout: should have a value (got none). See --help."),
        (["a:1", "--timeout=0.5"], "--timeout: should be whole seconds (got '0.5'). See --help."),
        (["a:1", "-i", "1m"], "-i: should be a number of seconds (got '1m'). See --help."),
        (["a:1", "-t", "1m"], "-t: should be a number of seconds (got '1m'). See --help."),
    ],
)
def test_mistakes_are_told_with_status_2(arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (2, f"wait-for-it: {message}\n")
