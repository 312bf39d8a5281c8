"""What `make ps` and `make logs` print, and what a killed run's clearing removes."""

from argparse import Namespace
from unittest.mock import MagicMock, call

import pytest

from infra.errors import UserError
from operations import containers, stack_engine
from operations.stack import Stack
from tests.unit.operations.conftest import MakeStack, fake_container
from toolchain.setup.atomic import write_file

OWN = {"label": ["devportal.stack=dev", "devportal.spec"]}
LOGS = Namespace(target="logs", role="app", follow=False, tail=100)
PS = Namespace(target="ps")


def refusal(stack: Stack, options: Namespace) -> str:
    with pytest.raises(UserError) as error:
        containers.main(stack, options)
    return str(error.value)


def test_table_has_a_line_for_each_container(
    stack: Stack, engine: MagicMock, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.containers.list.return_value = [
        fake_container("devportal-dev-redis", "redis"),
        fake_container("devportal-dev-app", "app", health="healthy"),
    ]
    assert containers.main(stack, PS) == 0
    assert capsys.readouterr().out == (
        "NAME                 STATE    HEALTH   PORTS\n"
        "devportal-dev-app    running  healthy  127.0.0.1:8000->8000\n"
        "devportal-dev-redis  running  -        127.0.0.1:8000->8000\n"
    )
    engine.containers.list.assert_called_once_with(all=True, filters=OWN, ignore_removed=True)


def test_log_lines_stand_behind_their_role_and_are_never_cut(
    stack: Stack, engine: MagicMock, capsys: pytest.CaptureFixture[str]
) -> None:
    other = fake_container("two", "redis", b"another role's\n")
    engine.containers.list.return_value = [fake_container("one", "app", b"a li", b"ne\nx"), other]
    assert containers.main(stack, LOGS) == 0
    assert capsys.readouterr().out == "app | a line\napp | x\n"


def test_stack_without_containers_is_named(stack: Stack, engine: MagicMock) -> None:
    assert refusal(stack, PS) == (
        "stack dev: should have containers (got none). Run `make up STACK=dev`."
    )


def test_unknown_role_is_refused_with_those_there_are(stack: Stack, engine: MagicMock) -> None:
    engine.containers.list.return_value = [
        fake_container(role, role) for role in ("redis", "app", "app")
    ]
    assert refusal(stack, Namespace(**{**vars(LOGS), "role": "nonsense"})) == (
        "role: should be one of those of stack dev: app, redis (got 'nonsense'). Choose one of "
        "them."
    )


def test_container_that_does_not_run_is_named(stack: Stack, engine: MagicMock) -> None:
    engine.containers.list.return_value = [fake_container("one", "postgres", status="exited")]
    with pytest.raises(UserError) as error:
        containers.find_running(stack, "postgres")
    assert str(error.value) == (
        "stack dev: should have a running container of role postgres (got none). "
        "Run `make up STACK=dev`."
    )


def test_only_what_the_state_does_not_know_is_removed(stack: Stack, engine: MagicMock) -> None:
    kept, orphan = fake_container("1", "app"), fake_container("2", "app")
    network = fake_container("3", "network")
    engine.containers.list.return_value = [kept, orphan]
    engine.networks.list.return_value = [network]
    assert containers.remove_orphans(stack, {"id-1"}) == ["2", "3"]
    kept.remove.assert_not_called()
    # A container that somebody ran from an image of the stack has the image's label, and stays.
    engine.containers.list.assert_called_once_with(all=True, filters=OWN, ignore_removed=True)
    assert engine.networks.list.call_args == call(filters={"label": "devportal.stack=dev"})
    engine.volumes.list.assert_not_called()


@pytest.mark.parametrize(
    ("settings", "environ", "variables"),
    [
        ("docker:host: tcp://a:1", {}, {"DOCKER_HOST": "tcp://a:1"}),
        ("docker:host: tcp://a:1", {"DOCKER_CONTEXT": "x"}, {"DOCKER_HOST": "tcp://a:1"}),
        ("other: 1", {"DOCKER_HOST": "tcp://b:1"}, {"DOCKER_HOST": "tcp://b:1"}),
    ],
)
def test_engine_is_that_of_the_stacks_settings(
    make_stack: MakeStack,
    settings: str,
    environ: dict[str, str],
    variables: dict[str, str],
) -> None:
    there = make_stack("mine")
    write_file(there.file, f"config:\n  {settings}\n")
    stack = Stack("mine", there.root, environ)
    assert stack_engine.engine_environ(stack) == variables
