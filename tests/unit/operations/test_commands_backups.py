"""What `make backups` shows and what `make restore` refuses before it begins."""

import pytest

from operations import restore as command
from operations.backups import Backup, describe, format_size
from operations.errors import CommandError

MANIFEST = {
    "started_at": "2026-01-01T06:00:00Z",
    "size_bytes": 12_600,
    "revision": "0002",
    "tables": {"public.team": 3, "public.entity": 4},
}
PASSED = {"checked_at": "2026-01-01T06:00:09Z", "result": "passed", "reason": ""}
FAILED = {**PASSED, "result": "failed", "reason": "no good"}
NAME = "20260101T060000Z"


@pytest.mark.parametrize(
    ("check", "told"),
    [
        ({}, "not yet"),
        (PASSED, "restored 2026-01-01T06:00:09Z"),
        (FAILED, "FAILED 2026-01-01T06:00:09Z: no good"),
    ],
)
def test_backup_is_told_with_its_last_trial(check: dict[str, str], told: str) -> None:
    row = describe(Backup(NAME, MANIFEST, check))
    assert row == (NAME, "2026-01-01T06:00:00Z", "12.6 kB", "7", "0002", told)


def test_backup_without_a_manifest_is_told_as_such() -> None:
    row = describe(Backup(NAME, {}, {}))
    assert row == (NAME, "-", "-", "-", "-", "should have a manifest (got none)")


@pytest.mark.parametrize(
    ("size_bytes", "told"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2.5e9, "2.5 GB"), (3e15, "3000.0 TB")],
)
def test_size_is_told_as_people_read_it(size_bytes: float, told: str) -> None:
    assert format_size(size_bytes) == told


@pytest.mark.parametrize(
    ("backups", "there"), [([], "none"), ([Backup(NAME, MANIFEST, {}), Backup("x", {}, {})], NAME)]
)
def test_unknown_backup_is_refused_with_those_that_can_be_named(
    backups: list[Backup], there: str
) -> None:
    with pytest.raises(CommandError) as error:
        command.choose(backups, "x", "prod")
    assert str(error.value) == (
        f"BACKUP: should name a backup of stack prod (got 'x'). There are: {there}."
    )


@pytest.mark.parametrize("said", ["no", "", "y"])
def test_whoever_does_not_say_yes_keeps_the_data(
    said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: said)
    with pytest.raises(CommandError) as error:
        command.confirm(Backup(NAME, MANIFEST, {}), "prod")
    assert str(error.value) == "restore: nothing was changed"
