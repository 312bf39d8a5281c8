"""`make backup` and `make backups`."""

import argparse
import json
from dataclasses import dataclass
from typing import Any

from docker.models.containers import Container

from infra.errors import UserError
from operations.containers import find_running, one_by_role, run_inside
from operations.stack import Stack
from operations.terminal import print_table


@dataclass(frozen=True)
class Backup:
    """One backup as its manifest and its last trial restore describe it."""

    name: str
    manifest: dict[str, Any]
    check: dict[str, Any]

    @property
    def tables(self) -> dict[str, int]:
        """The number of rows of each table."""
        return self.manifest["tables"]

    @property
    def revision(self) -> str:
        """The schema's revision; empty before the first migration."""
        return self.manifest["revision"]


def take_backup(stack: Stack, options: argparse.Namespace) -> None:
    """`make backup`: prints its name."""
    print(run_inside(stack, find_backup_service(stack), "backups", "take").strip())


def print_backups(stack: Stack, options: argparse.Namespace) -> None:
    """`make backups`: a row for each."""
    rows = map(describe, list_backups(stack, find_backup_service(stack)))
    print_table(("NAME", "TAKEN", "SIZE", "ROWS", "REVISION", "CHECK"), *rows)


def find_backup_service(stack: Stack) -> Container:
    """The stack's running container that takes backups.

    Raises UserError when it does not run, or the settings leave it out.
    """
    if "backups" not in one_by_role(stack):
        raise UserError(
            f"stack {stack.name}: should take backups (got devportal:backups.enabled false). Set "
            f"it to true and run `make up STACK={stack.name}`."
        )
    return find_running(stack, "backups")


def list_backups(stack: Stack, service: Container) -> list[Backup]:
    """All backups, oldest first."""
    lines = map(json.loads, run_inside(stack, service, "backups", "list").splitlines())
    return [Backup(line["name"], line["manifest"] or {}, line["check"] or {}) for line in lines]


def describe(backup: Backup) -> tuple[str, ...]:
    """The backup's row of the table."""
    if not backup.manifest:
        return backup.name, "-", "-", "-", "-", "should have a manifest (got none)"
    return (
        backup.name,
        backup.manifest["started_at"],
        format_size(backup.manifest["size_bytes"]),
        str(sum(backup.tables.values())),
        backup.revision or "-",
        _describe_check(backup.check),
    )


def format_size(size_bytes: float) -> str:
    """Rounded, with its unit: `12.3 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} TB"


def _describe_check(check: dict[str, Any]) -> str:
    if not check:
        return "not yet"
    if check["result"] == "passed":
        return f"restored {check['checked_at']}"
    return f"FAILED {check['checked_at']}: {check['reason']}"
