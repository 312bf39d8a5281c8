"""`make restart`: in which order, and what it waits for."""

from unittest.mock import MagicMock

import pytest

from infra.engine.container_state import ReadinessError
from operations import restart
from operations.arguments import parse
from operations.stack import Stack
from tests.support.refusals import refusal
from tests.unit.operations.conftest import fake_container


@pytest.fixture
def done(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was waited for, in order; a container that is called `bad` never becomes ready."""
    waited: list[str] = []

    def make_ready(client: object, wanted: restart.Wanted, *, was_ready: bool) -> None:
        waited.append(f"{wanted.name} {wanted.goal}")
        if wanted.name == "bad":
            raise ReadinessError("container 'bad': should become healthy")

    monkeypatch.setattr(restart, "make_ready", make_ready)
    monkeypatch.setattr(
        restart, "run_inside", lambda stack, nginx, *words: waited.append(" ".join(words))
    )
    return waited


def test_replicas_restart_one_after_another_and_the_sick_one_first(
    stack: Stack, engine: MagicMock, done: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    engine.containers.list.return_value = [
        fake_container("app-1", "app", health="healthy"),
        fake_container("app-2", "app", health="unhealthy"),
        fake_container("app-3", "app", status="exited"),
        fake_container("nginx", "nginx", health="healthy"),
    ]
    restart.restart_role(stack, parse(["restart", "--role=app"]))
    assert done == [
        "app-2 healthy",
        "await-peers 20 app-2:8000",
        "app-1 healthy",
        "await-peers 20 app-1:8000",
    ]
    assert capsys.readouterr().out == "restart: app-2\nrestart: app-1\n"


def test_first_that_fails_ends_a_restart(stack: Stack, engine: MagicMock, done: list[str]) -> None:
    engine.containers.list.return_value = [fake_container(n, "app") for n in ("bad", "good")]
    options = parse(["restart", "--role=app"])
    assert refusal(restart.restart_role, stack, options) == "container 'bad': should become healthy"
    assert done == ["bad healthy"]


def test_job_runs_to_its_end_and_one_that_stopped_starts(
    stack: Stack, engine: MagicMock, done: list[str]
) -> None:
    job = fake_container("job", "migrations", status="exited")
    job.attrs["Config"]["Healthcheck"] = {"Test": ["NONE"]}
    engine.containers.list.return_value = [job]
    restart.restart_role(stack, parse(["restart", "--role=migrations"]))
    assert done == ["job finished"]
    job.restart.assert_called_once_with(timeout=35)


@pytest.mark.parametrize("words", [[], ["--role= "], ["--role=,"]])
def test_nothing_restarts_without_a_role(words: list[str], stack: Stack, engine: MagicMock) -> None:
    engine.containers.list.return_value = [fake_container(r, r) for r in ("redis", "app")]
    assert refusal(restart.restart_role, stack, parse(["restart", *words])) == (
        "role: should be one of those of stack dev: app, redis (got ''). Choose one of them."
    )
