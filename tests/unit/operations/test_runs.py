"""Locks: a stack on this machine has at most one run at a time, whoever starts it."""

import getpass
import os
import signal
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from infra.errors import UserError
from operations import restore, runs
from operations.arguments import parse
from operations.runs import only_run, user_name
from operations.stack import Stack
from tests.support.refusals import refusal
from tests.unit.operations.conftest import fake_container


def kill_a_run(stack: Stack) -> None:
    killed = os.fork()
    if not killed:
        with only_run(stack):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(killed, 0)


def was_killed(stack: Stack, *, clears_up: bool = True, fails: bool = False) -> bool:
    with only_run(stack, clears_up=clears_up) as found:
        if fails:
            raise UserError("x")
        return found


def test_lock_lies_where_every_user_of_the_machine_may_write(
    stack: Stack, engine: MagicMock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever TMPDIR says; /run/lock is root's alone on Fedora and Arch."""
    closed, temporary = tmp_path / "closed", tmp_path / "open"
    closed.mkdir(mode=0o755)
    temporary.mkdir()
    temporary.chmod(0o1777)
    monkeypatch.setattr(runs, "_FOLDERS", (tmp_path / "none", closed, temporary))
    monkeypatch.setenv("TMPDIR", str(closed))
    assert was_killed(stack) is False
    assert [path.parent for path in tmp_path.rglob("*.lock")] == [temporary]


def test_killed_run_is_known_to_the_next_until_one_has_cleared_up(
    stack: Stack, engine: MagicMock
) -> None:
    refusal(was_killed, stack, fails=True)
    assert was_killed(stack) is False
    kill_a_run(stack)
    refusal(was_killed, stack, fails=True)
    assert was_killed(stack, clears_up=False) is True
    assert was_killed(stack) is True
    assert was_killed(stack, clears_up=False) is False
    assert was_killed(stack) is False


def test_lock_that_is_no_text_is_that_of_a_killed_run(
    stack: Stack, engine: MagicMock, tmp_path: Path
) -> None:
    tmp_path.chmod(0o1777)
    kill_a_run(stack)
    [lock] = tmp_path.glob("*.lock")
    lock.write_bytes(b"\xff")
    assert was_killed(stack) is True
    assert was_killed(stack) is False


def test_second_restore_is_told_who_restores(
    stack: Stack, engine: MagicMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, service = fake_container("db", "postgres"), fake_container("backups", "backups")
    engine.containers.list.return_value = [server, service]
    monkeypatch.setattr(restore, "choose", lambda *given: MagicMock())
    monkeypatch.setattr(restore, "list_backups", lambda *given: [])
    options = parse(["restore", "--backup=x", "--yes"])
    with only_run(stack):
        message = refusal(restore.restore, stack, options)
    holder = f"process {os.getpid()} of {getpass.getuser()} on {os.uname().nodename}"
    assert message == (
        f"stack dev: no other run should hold it (got {holder}). Wait for it, or end it."
    )


def test_user_that_the_machine_does_not_know_is_called_by_the_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(getpass, "getuser", MagicMock(side_effect=KeyError("uid not found")))
    assert user_name() == str(os.getuid())
