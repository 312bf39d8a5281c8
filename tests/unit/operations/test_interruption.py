"""A run that was killed does not stand in the way of the next; one that lives does."""

import json
import os
import socket
from typing import Any

import pytest

from infra.errors import UserError
from operations import containers
from operations.interruption import clear_up, known_ids
from operations.stack import Stack
from tests.unit.operations.conftest import calls, write_state
from toolchain.setup.atomic import write_file

# Above the kernel's largest process id.
DEAD_PID = 2**22 + 1
CANCEL = "cancel --yes --stack dev --non-interactive"
REFRESH = "refresh --yes --skip-preview --clear-pending-creates --stack dev --non-interactive"


@pytest.fixture(autouse=True)
def removed(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """What was known to the state, each time that the rest was removed."""
    known: list[set[str]] = []
    monkeypatch.setattr(
        containers, "remove_orphans", lambda stack, ids: known.append(set(ids)) or ["one"]
    )
    return known


def write_lock(stack: Stack, **changes: Any) -> None:
    lock = {"pid": DEAD_PID, "username": "ada", "hostname": socket.gethostname(), **changes}
    assert stack.backend_folder is not None
    folder = stack.backend_folder / "locks" / "organization" / "devportal" / stack.name
    write_file(folder / "lock.json", json.dumps(lock))


def write_latest(stack: Stack, **latest: Any) -> None:
    write_state(stack, json.dumps({"checkpoint": {"latest": latest}}))


def test_without_a_lock_nothing_is_cleared(stack: Stack, removed: list[set[str]]) -> None:
    clear_up(stack)
    write_latest(stack, resources=[])
    clear_up(stack)
    assert calls(stack) == []
    assert removed == []


def test_lock_of_a_dead_run_is_released(
    stack: Stack, removed: list[set[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    write_lock(stack)
    write_latest(stack, resources=[{"urn": "a"}, {"urn": "b", "id": "4711"}])
    clear_up(stack)
    assert calls(stack) == [CANCEL, REFRESH]
    assert removed == [{"4711"}]
    assert capsys.readouterr().out == (
        "stack dev: clearing up after a run that was killed\n"
        "removed one, left by a run that was killed\n"
    )


def test_unfinished_operation_is_cleared(stack: Stack, removed: list[set[str]]) -> None:
    write_latest(stack, pending_operations=[{"type": "creating"}])
    clear_up(stack)
    assert calls(stack) == [REFRESH]
    assert removed == [set()]


@pytest.mark.parametrize(
    ("holder", "shown"),
    [
        ({"pid": os.getpid()}, f"process {os.getpid()} of ada on {socket.gethostname()}"),
        ({"hostname": "elsewhere"}, f"process {DEAD_PID} of ada on elsewhere"),
    ],
)
def test_lock_of_a_living_run_is_respected(
    stack: Stack, holder: dict[str, Any], shown: str
) -> None:
    write_lock(stack, **holder)
    with pytest.raises(UserError) as error:
        clear_up(stack)
    assert str(error.value) == (
        f"stack dev: no other run should hold it (got {shown}). Wait for it, or end it."
    )
    assert calls(stack) == []


def test_backend_that_is_no_folder_is_left_to_pulumi(stack: Stack) -> None:
    elsewhere = Stack("dev", stack.root, {"PULUMI_BACKEND_URL": "s3://states"})
    clear_up(elsewhere)
    assert elsewhere.state is None
    assert calls(stack) == []


def test_resource_without_an_id_is_not_on_the_engine() -> None:
    assert known_ids({"resources": [{"urn": "a"}, {"urn": "b", "id": "4711"}]}) == {"4711"}
