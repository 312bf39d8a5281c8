"""`make lock` and `make unlock`, and that nothing is deployed in between."""

from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from docker.errors import NotFound

from operations import deploy_lock
from operations.arguments import parse
from operations.deployment import Deployment
from operations.stack import Stack
from tests.support.refusals import refusal
from tests.unit.operations.conftest import calls, write_state

LOCKED = "a lock by ada on here since 2026-11-25 06:00:00+00:00: it's the migration"


class FakeVolumes:
    """An engine's volumes; one that is there is not made again."""

    def __init__(self) -> None:
        self.labels: dict[str, dict[str, str] | None] = {}

    def list(self, **_chosen: Any) -> list[Any]:
        return []

    def create(self, name: str, labels: dict[str, str]) -> Any:
        self.labels.setdefault(name, labels)
        return self.get(name)

    def get(self, name: str) -> Any:
        if name not in self.labels:
            raise NotFound(name)
        attrs = {"Labels": self.labels[name]}
        return SimpleNamespace(attrs=attrs, remove=lambda: self.labels.pop(name))


@pytest.fixture
def locked(stack: Stack, engine: MagicMock, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A stack that somebody has locked."""
    engine.volumes = FakeVolumes()
    monkeypatch.setattr(deploy_lock, "user_name", lambda: "ada")
    monkeypatch.setattr(deploy_lock.socket, "gethostname", lambda: "here")
    now = MagicMock(**{"isoformat.return_value": "2026-11-25 06:00:00+00:00"})
    monkeypatch.setattr(deploy_lock, "datetime", MagicMock(**{"now.return_value": now}))
    write_state(stack)
    deploy_lock.lock(stack, parse(["lock", "--reason= it's the migration "]))
    return stack


@pytest.mark.parametrize("target", ["up", "down", "lock"])
def test_locked_stack_is_not_deployed(locked: Stack, target: str) -> None:
    def run() -> None:
        if target == "lock":
            deploy_lock.lock(locked, parse(["lock", "--reason=mine"]))
        Deployment(locked).run(target)

    assert refusal(run) == (
        f"stack dev: should not be locked (got {LOCKED}). Ask, or run `make unlock STACK=dev`."
    )
    assert calls(locked) == []
    assert Deployment(locked).run("preview") == 0


def test_lock_that_was_made_by_hand_holds_as_well(locked: Stack, engine: MagicMock) -> None:
    engine.volumes.labels = dict.fromkeys(engine.volumes.labels)
    assert refusal(deploy_lock.lock, locked, parse(["lock", "--reason=mine"])) == (
        "stack dev: should not be locked (got a lock by (not told) since (not told): (not told)). "
        "Ask, or run `make unlock STACK=dev`."
    )


def test_unlocked_stack_is_deployed_again(
    locked: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    deploy_lock.unlock(locked, parse(["unlock"]))
    assert capsys.readouterr().out == (
        f"stack dev: unlocked; it was locked {LOCKED.removeprefix('a lock ')}\n"
    )
    assert Deployment(locked).run("up") == 0
    assert refusal(deploy_lock.unlock, locked, parse(["unlock"])) == (
        "stack dev: should be locked (got no lock). Nothing to do."
    )


def test_lock_needs_a_reason(stack: Stack, engine: MagicMock) -> None:
    assert refusal(deploy_lock.lock, stack, parse(["lock", "--reason= "])) == (
        "REASON: should tell why (got nothing). Run `make lock REASON='...' STACK=dev`."
    )
    engine.volumes.create.assert_not_called()
