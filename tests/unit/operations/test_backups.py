"""What `make backups` lists, and what `make restore` refuses and does beside the database."""

from typing import Any
from unittest.mock import MagicMock

import pytest

from infra.engine.container_state import Wanted
from operations import restart, restore
from operations.backups import Backup, describe, find_backup_service, format_size
from operations.stack import Stack
from tests.support.refusals import refusal
from tests.unit.operations.conftest import fake_container

NAME = "20260101T060000Z"
MANIFEST = {
    "started_at": "2026-01-01T06:00:00Z",
    "size_bytes": 12_600,
    "revision": "0002",
    "tables": {"public.team": 3, "public.entity": 4},
}
PASSED = {"checked_at": "2026-01-01T06:00:09Z", "result": "passed", "reason": ""}
FAILED = {**PASSED, "result": "failed", "reason": "no good"}
WHOLE = Backup(NAME, MANIFEST, {})
END_OF_INPUT = "Ctrl-D"


DESCRIBED = ("2026-01-01T06:00:00Z", "12.6 kB", "7", "0002")


@pytest.mark.parametrize(
    ("manifest", "check", "row"),
    [
        (MANIFEST, {}, (*DESCRIBED, "not yet")),
        (MANIFEST, PASSED, (*DESCRIBED, "restored 2026-01-01T06:00:09Z")),
        (MANIFEST, FAILED, (*DESCRIBED, "FAILED 2026-01-01T06:00:09Z: no good")),
        ({}, {}, ("-", "-", "-", "-", "should have a manifest (got none)")),
    ],
)
def test_backup_is_listed_with_its_last_trial(
    manifest: dict[str, Any], check: dict[str, str], row: tuple[str, ...]
) -> None:
    assert describe(Backup(NAME, manifest, check)) == (NAME, *row)


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2.5e9, "2.5 GB"), (3e15, "3000.0 TB")],
)
def test_size_is_rounded_with_its_unit(size_bytes: float, shown: str) -> None:
    assert format_size(size_bytes) == shown


def test_stack_that_takes_no_backups_is_named(stack: Stack, engine: MagicMock) -> None:
    engine.containers.list.return_value = [fake_container("one", "app")]
    assert refusal(find_backup_service, stack) == (
        "stack dev: should take backups (got devportal:backups.enabled false). Set it to true "
        "and run `make up STACK=dev`."
    )


@pytest.mark.parametrize(("backups", "there"), [([], "none"), ([WHOLE, Backup("x", {}, {})], NAME)])
def test_unknown_backup_is_refused_with_those_there_are(backups: list[Backup], there: str) -> None:
    assert refusal(restore.choose, backups, "x", "prod") == (
        f"BACKUP: should name a backup of stack prod (got 'x'). There are: {there}."
    )


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        *((answer, "restore: nothing was changed") for answer in ("no", "", "y", END_OF_INPUT)),
        (
            None,
            "stack prod: replacing its data should be confirmed (got no terminal to ask on). "
            f"Run `make restore BACKUP={NAME} STACK=prod ARGS=--yes`.",
        ),
    ],
)
def test_data_stays_without_a_yes(
    answer: str | None, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: answer is not None, raising=False)
    typed = MagicMock(side_effect=[EOFError if answer == END_OF_INPUT else answer])
    monkeypatch.setattr("builtins.input", typed)
    assert refusal(restore.confirm, WHOLE, "prod") == message


def migrate(stack: Stack) -> None:
    restore.Restore(stack, WHOLE, MagicMock(), MagicMock())._migrate()


def test_missing_migrations_are_run_before_portals_are_restarted_one_by_one(
    stack: Stack, engine: MagicMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []

    def wait(_client: object, wanted: Wanted, *, was_ready: bool) -> None:
        order.append(f"{wanted.name} is {wanted.goal}")

    monkeypatch.setattr(restart, "make_ready", wait)
    job = fake_container("job", "migrations", status="exited")
    job.start.side_effect = lambda: order.append("migrations")
    job.wait.return_value = {"StatusCode": 0}
    portals = [fake_container(name, "app", health="healthy") for name in ("one", "two")]
    for portal in portals:
        portal.restart.side_effect = lambda timeout, name=portal.name: order.append(name)
    engine.containers.list.return_value = [job, *portals, fake_container("db", "postgres")]
    migrate(stack)
    assert order == ["migrations", "one", "one is healthy", "two", "two is healthy"]


def test_failed_migration_is_shown_and_no_portal_restarted(stack: Stack, engine: MagicMock) -> None:
    job = fake_container("job", "migrations", status="exited")
    job.wait.return_value = {"StatusCode": 3}
    job.logs.side_effect = lambda **options: b"no such column\n"
    portal = fake_container("one", "app")
    engine.containers.list.return_value = [job, portal]
    assert refusal(migrate, stack) == (
        "container 'job': should end with 0 (got 3). The data is restored, its schema is of "
        "revision 0002.\nno such column"
    )
    portal.restart.assert_not_called()
