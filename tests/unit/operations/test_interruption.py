"""A run that was killed does not stand in the way of the next; one that lives does."""

import json
import os
import socket
from typing import Any
from unittest.mock import MagicMock, call

import pytest

from operations.interruption import clear_up
from operations.stack import Stack
from tests.support.refusals import refusal
from tests.unit.operations.conftest import OWN, calls, fake_container, write_state
from toolchain.setup.atomic import write_file

# Above the kernel's largest process id.
DEAD_PID = 2**22 + 1
CANCEL = "cancel --yes --stack dev --non-interactive"
REFRESH = "refresh --yes --skip-preview --clear-pending-creates --stack dev --non-interactive"


def write_lock(stack: Stack, **changes: Any) -> None:
    lock = {"pid": DEAD_PID, "username": "ada", "hostname": socket.gethostname(), **changes}
    assert stack.backend_folder is not None
    folder = stack.backend_folder / "locks" / "organization" / "devportal" / stack.name
    write_file(folder / "lock.json", json.dumps(lock))


def write_latest(stack: Stack, **latest: Any) -> None:
    write_state(stack, json.dumps({"checkpoint": {"latest": latest}}))


def test_without_a_lock_nothing_is_cleared(stack: Stack, engine: MagicMock) -> None:
    clear_up(stack)
    write_latest(stack, resources=[])
    clear_up(stack)
    assert calls(stack) == []
    engine.containers.list.assert_not_called()


def test_lock_of_a_dead_run_is_released_and_what_the_state_does_not_know_removed(
    stack: Stack, engine: MagicMock, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lock(stack)
    write_latest(stack, resources=[{"urn": "a"}, {"urn": "b", "id": "id-1"}])
    kept, orphan = fake_container("1", "app"), fake_container("2", "app")
    engine.containers.list.return_value = [kept, orphan]
    engine.networks.list.return_value = [fake_container("3", "network")]
    clear_up(stack)
    assert calls(stack) == [CANCEL, REFRESH]
    kept.remove.assert_not_called()
    # A container that somebody ran from an image of the stack has the image's label, and stays.
    engine.containers.list.assert_called_once_with(all=True, filters=OWN, ignore_removed=True)
    assert engine.networks.list.call_args == call(filters={"label": "devportal.stack=dev"})
    engine.volumes.list.assert_not_called()
    assert capsys.readouterr().out == (
        "stack dev: clearing up after a run that was killed\n"
        "removed 2, left by a run that was killed\n"
        "removed 3, left by a run that was killed\n"
    )


def test_unfinished_operation_is_cleared(stack: Stack, engine: MagicMock) -> None:
    write_latest(stack, pending_operations=[{"type": "creating"}])
    clear_up(stack)
    assert calls(stack) == [REFRESH]


@pytest.mark.parametrize(
    ("holder", "shown"),
    [
        ({"pid": os.getpid()}, f"process {os.getpid()} of ada on {socket.gethostname()}"),
        ({"hostname": "elsewhere"}, f"process {DEAD_PID} of ada on elsewhere"),
    ],
    ids=["alive here", "elsewhere"],
)
def test_lock_of_a_living_run_is_respected(
    stack: Stack, holder: dict[str, Any], shown: str
) -> None:
    write_lock(stack, **holder)
    assert refusal(clear_up, stack) == (
        f"stack dev: no other run should hold it (got {shown}). Wait for it, or end it."
    )
    assert calls(stack) == []


def test_backend_that_is_no_folder_is_left_to_pulumi(stack: Stack) -> None:
    elsewhere = Stack("dev", {"PULUMI_BACKEND_URL": "s3://states"}, stack.root)
    clear_up(elsewhere)
    assert elsewhere.state is None
    assert calls(stack) == []
