"""What `make ps` and `make logs` print, and on which engine."""

import signal
from argparse import Namespace
from typing import Any
from unittest.mock import MagicMock

import pytest

from operations.containers import (
    find_running,
    pipe_inside,
    print_containers,
    print_logs,
    print_stats,
    run_inside,
)
from operations.stack import Stack
from tests.support.refusals import refusal
from tests.support.waiting import wait_for
from tests.unit.operations.conftest import OWN, MakeStack, fake_container, given, write_program
from toolchain.setup.atomic import write_file
from toolchain.setup.processes import is_running

LOGS = Namespace(role=["app"], follow=False, tail=None, since=None, timestamps=False)


def test_table_has_a_line_for_each_container(
    stack: Stack, engine: MagicMock, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.containers.list.return_value = [
        fake_container("devportal-dev-redis", "redis"),
        fake_container("devportal-dev-app", "app", health="healthy"),
    ]
    print_containers(stack, Namespace())
    assert capsys.readouterr().out == (
        "NAME                 STATE    HEALTH   PORTS\n"
        "devportal-dev-app    running  healthy  127.0.0.1:8000->8000\n"
        "devportal-dev-redis  running  -        127.0.0.1:8000->8000\n"
    )
    engine.containers.list.assert_called_once_with(all=True, filters=OWN, ignore_removed=True)


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({}, ["--tail=100 id-app"]),
        ({"tail": 5}, ["--tail=5 id-app"]),
        ({"since": "10m", "timestamps": True}, ["--tail=all --since=10m --timestamps id-app"]),
        ({"since": "10m", "tail": 5}, ["--tail=5 --since=10m id-app"]),
        ({"role": ["redis", "app"]}, ["--tail=100 id-redis", "--tail=100 id-app"]),
        ({"role": []}, ["--tail=100 id-app", "--tail=100 id-redis"]),
    ],
)
def test_lines_of_logs_are_chosen_by_roles_and_time_and_stand_behind_their_role(
    changes: dict[str, Any],
    asked: list[str],
    stack: Stack,
    engine: MagicMock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    engine.containers.list.return_value = [fake_container(r, r) for r in ("redis", "app")]
    write_program(stack.root, "docker", """shift; printf 'first\\n%s' "$*\"""")
    print_logs(stack, Namespace(**{**vars(LOGS), **changes}))
    lines = [(words.rpartition("-")[2], line) for words in asked for line in ("first", words)]
    assert capsys.readouterr().out == "".join(f"{role} | {line}\n" for role, line in lines)


def test_logs_that_docker_cannot_read_are_no_success(stack: Stack, engine: MagicMock) -> None:
    engine.containers.list.return_value = [fake_container(r, r) for r in ("redis", "app")]
    write_program(stack.root, "docker", '[ "$3" != id-redis ]')
    assert print_logs(stack, LOGS) == 0
    assert print_logs(stack, Namespace(**{**vars(LOGS), "role": ["redis", "app"]})) == 1


def test_stats_are_those_of_the_stacks_running_containers(
    stack: Stack, engine: MagicMock, capfd: pytest.CaptureFixture[str]
) -> None:
    engine.containers.list.return_value = [
        fake_container("one", "app"),
        fake_container("old", "app", status="exited"),
        fake_container("two", "redis", status="exited"),
    ]
    write_program(stack.root, "docker", 'echo "$1 $2 $4"')
    options = Namespace(role=[], follow=False)
    assert print_stats(stack, options) == 0
    assert capfd.readouterr().out == "stats --no-stream one\n"
    options.role = ["redis"]
    assert refusal(print_stats, stack, options) == (
        "stack dev: should have a running container of these roles (got none). "
        "Run `make up STACK=dev`."
    )


def test_logs_without_the_command_docker_are_no_success(stack: Stack, engine: MagicMock) -> None:
    engine.containers.list.return_value = [fake_container("one", "app")]
    with pytest.raises(FileNotFoundError, match="docker"):
        print_logs(given(stack, PATH=str(stack.root)), LOGS)


def test_logs_that_are_interrupted_leave_nothing_running(stack: Stack, engine: MagicMock) -> None:
    engine.containers.list.return_value = [fake_container("one", "app")]
    pids = stack.root / "pids"
    # A container that says nothing: what printed its lines would wait for the next one.
    write_program(stack.root, "docker", f"echo $$ > {pids}; sleep 0.3; kill $PPID; exec sleep 30")
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # as of every target
    try:
        with pytest.raises(KeyboardInterrupt):
            print_logs(stack, Namespace(**{**vars(LOGS), "follow": True}))
    finally:
        signal.signal(signal.SIGTERM, before)
    wait_for(lambda: not is_running(int(pids.read_text())), timeout_seconds=10)


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_reader_of_logs_may_leave(
    stack: Stack, engine: MagicMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.containers.list.return_value = [fake_container("one", "app")]
    write_program(stack.root, "docker", "exec yes")
    monkeypatch.setattr("sys.stdout", MagicMock(write=MagicMock(side_effect=BrokenPipeError)))
    assert print_logs(stack, LOGS) == 0


@pytest.fixture
def executing(stack: Stack) -> Stack:
    """A stack whose `docker exec --interactive ID COMMAND...` runs the command on this machine."""
    write_program(
        stack.root, "docker", '[ "$1 $2" = "exec --interactive" ] && shift 3 && exec "$@"'
    )
    return stack


def test_command_in_a_container_has_its_input_and_tells_its_own_words(executing: Stack) -> None:
    container = fake_container("one", "postgres")
    assert run_inside(executing, container, "tr", "a-z", "A-Z", text="select 'é'") == "SELECT 'é'"
    assert run_inside(executing, container, "cat") == ""
    failing = ("sh", "-c", "echo given; echo no such table >&2; exit 3")
    assert refusal(run_inside, executing, container, *failing) == "no such table"
    assert refusal(run_inside, executing, container, "sh", "-c", "exit 3") == "sh: exit code 3"


@pytest.mark.parametrize(
    ("writer", "reader", "mistake"),
    [
        ("exit 3", "cat", "sh: exit code 3"),
        ("yes", "echo corrupt >&2; exit 1", "corrupt"),
        ("printf '\\377'", "exit 4", "sh: exit code 4"),
    ],
)
def test_pipe_between_containers_fails_with_either_end(
    writer: str, reader: str, mistake: str, executing: Stack
) -> None:
    one, two = fake_container("one", "backups"), fake_container("two", "postgres")
    commands = (["sh", "-c", writer], two, ["sh", "-c", reader])
    assert refusal(pipe_inside, executing, one, *commands) == mistake


def test_pipe_between_containers_carries_any_byte(executing: Stack) -> None:
    one, two = fake_container("one", "backups"), fake_container("two", "postgres")
    dump, kept = executing.root / "dump", executing.root / "kept"
    dump.write_bytes(bytes(range(256)) * 1000)
    pipe_inside(executing, one, ["cat", str(dump)], two, ["cp", "/dev/stdin", str(kept)])
    assert kept.read_bytes() == dump.read_bytes()


def test_missing_container_is_named(stack: Stack, engine: MagicMock) -> None:
    assert refusal(print_containers, stack, Namespace()) == (
        "stack dev: should have containers (got none). Run `make up STACK=dev`."
    )
    engine.containers.list.return_value = [
        fake_container(role, role, status="exited") for role in ("redis", "app", "app")
    ]
    assert refusal(print_logs, stack, Namespace(role=["nonsense"])) == (
        "role: should be one of those of stack dev: app, redis (got 'nonsense'). Choose one of "
        "them."
    )
    assert refusal(find_running, stack, "redis") == (
        "stack dev: should have a running container of role redis (got none). "
        "Run `make up STACK=dev`."
    )


@pytest.mark.parametrize(
    ("settings", "environ", "host", "named_by"),
    [
        ("docker:host: tcp://a:1", {"DOCKER_CONTEXT": "x"}, "tcp://a:1", "docker:host"),
        ("docker:context: default", {}, "unix:///var/run/docker.sock", "docker:context"),
        ("other: 1", {"DOCKER_HOST": "tcp://b:1"}, "tcp://b:1", ""),
    ],
)
def test_engine_is_that_of_the_stacks_settings(
    make_stack: MakeStack, settings: str, environ: dict[str, str], host: str, named_by: str
) -> None:
    mine = make_stack("mine")
    write_file(mine.file, f"config:\n  {settings}\n")
    project = Stack("mine", environ, mine.root).project
    assert (project.environ, project.engine_named_by) == ({"DOCKER_HOST": host}, named_by)
