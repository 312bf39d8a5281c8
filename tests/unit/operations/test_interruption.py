"""A run that was killed does not stand in the way of the next; one that lives does."""

import getpass
import json
import os
import socket
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, call

import pytest

from operations.deployment import Deployment
from operations.interruption import clear_up
from operations.runs import only_run
from operations.stack import Stack
from tests.support.refusals import refusal
from tests.unit.operations.conftest import OWN, calls, fake_container, write_state
from toolchain.setup.atomic import write_file

# Above the kernel's largest process id.
DEAD_PID = 2**22 + 1
REFRESH = "refresh --yes --skip-preview --clear-pending-creates --stack dev --non-interactive"


def write_lock(stack: Stack, text: str = "", **changes: Any) -> Path:
    """A lock of Pulumi's; a dead run's unless changed."""
    lock = {"pid": DEAD_PID, "username": "ada", "hostname": socket.gethostname(), **changes}
    assert stack.backend_folder is not None
    folder = stack.backend_folder / "locks" / "organization" / "devportal" / stack.name
    write_file(folder / "lock.json", text or json.dumps(lock))
    return folder / "lock.json"


def write_latest(stack: Stack, **latest: Any) -> None:
    write_state(stack, json.dumps({"checkpoint": {"latest": latest}}))


def test_without_a_lock_nothing_is_cleared(stack: Stack, engine: MagicMock) -> None:
    clear_up(stack)
    write_latest(stack, resources=[])
    clear_up(stack)
    assert calls(stack) == []
    engine.networks.list.assert_not_called()


@pytest.mark.parametrize("text", ["", '{"pid":', "7", '{"pid": 7}'])
def test_lock_of_a_dead_run_is_released_and_what_the_state_does_not_know_removed(
    stack: Stack, engine: MagicMock, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """Also one that the run has not written to its end."""
    lock = write_lock(stack, text)
    write_latest(stack, resources=[{"urn": "a"}, {"urn": "b", "id": "id-1"}])
    kept, orphan = fake_container("1", "app"), fake_container("2", "app")
    engine.containers.list.return_value = [kept, orphan]
    engine.networks.list.return_value = [fake_container("3", "network")]
    clear_up(stack)
    assert not lock.exists()
    assert calls(stack) == [REFRESH]
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


def test_run_that_began_meanwhile_keeps_its_containers(stack: Stack, engine: MagicMock) -> None:
    write_latest(stack, pending_operations=[{"type": "creating"}])
    made = fake_container("1", "app")

    def look(**kind: Any) -> list[MagicMock]:
        write_lock(stack, pid=os.getpid())
        return [made]

    engine.containers.list.side_effect = look
    assert f"(got process {os.getpid()} of ada on " in refusal(clear_up, stack)
    made.remove.assert_not_called()


@pytest.mark.parametrize("target", ["up", "down"])
def test_second_run_of_the_machine_is_told_who_holds_the_stack(
    stack: Stack, engine: MagicMock, target: str
) -> None:
    """Whatever the clone and its backend."""
    other = Stack("dev", {**stack.environ, "PULUMI_BACKEND_URL": "s3://states"}, stack.root)
    write_state(stack)
    write_file(stack.root / "ends", """echo '{"deployment": {}}'\n""")
    me = f"process {os.getpid()} of {getpass.getuser()} on {socket.gethostname()}"
    with only_run(other):
        assert refusal(Deployment(stack).run, target) == (
            f"stack dev: no other run should hold it (got {me}). Wait for it, or end it."
        )
        with only_run(Stack("dev-2", stack.environ, stack.root)):
            assert calls(stack) == []
    assert Deployment(other).run(target) == 0


@pytest.mark.parametrize("shown", ["", '{"deployment": {}}'])
def test_containers_of_another_state_are_left_alone(
    stack: Stack, engine: MagicMock, shown: str
) -> None:
    """They run with passwords that this state does not know, in a folder or elsewhere."""
    if shown:
        stack = Stack("dev", {**stack.environ, "PULUMI_BACKEND_URL": "s3://states"}, stack.root)
        write_file(stack.root / "ends", f"echo '{shown}'\n")
    engine.containers.list.return_value = [fake_container("1", "app"), fake_container("2", "app")]
    assert refusal(clear_up, stack) == (
        "stack dev: its state should know its containers (got none in the state, and on the engine "
        "1, 2). Set PULUMI_BACKEND_URL to where their state lies, or put it back with `make "
        "state-restore STACK=dev`; if it is lost, remove them with `docker rm --force --volumes`."
    )


def test_unfinished_operation_in_a_state_elsewhere_is_cleared(
    stack: Stack, engine: MagicMock
) -> None:
    """Its lock is left to Pulumi: only its own commands reach it."""
    elsewhere = Stack("dev", {**stack.environ, "PULUMI_BACKEND_URL": "s3://states"}, stack.root)
    shown = '{"deployment": {"resources": [{"id": "1"}], "pending_operations": [{}]}}'
    write_file(stack.root / "ends", f"echo '{shown}'\n")
    clear_up(elsewhere)
    export = "stack export --stack dev --non-interactive"
    assert calls(stack) == [export, REFRESH, export]
