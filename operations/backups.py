"""`make backup` and `make backups`; runs in the program's Python, which has the Docker SDK."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from docker.errors import DockerException
from docker.models.containers import Container

from operations.containers import list_containers
from operations.errors import CommandError
from operations.inside import run_inside


@dataclass(frozen=True)
class Backup:
    """One backup as its manifest and its last trial describe it."""

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


def find_running(stack: str, role: str) -> Container:
    """The stack's running container of a role.

    Raises
    ------
    CommandError
        Raised when the stack has none, or takes no backups.
    """
    containers = list_containers(stack)
    if not containers:
        raise CommandError(
            f"stack {stack}: should have containers (got none). Run `make up STACK={stack}`."
        )
    found = [c for c in containers if c.labels["devportal.role"] == role]
    if not found and role == "backups":
        raise CommandError(
            f"stack {stack}: should take backups (got devportal:backups.enabled false). Set it to "
            f"true and run `make up STACK={stack}`."
        )
    running = [c for c in found if c.status == "running"]
    if not running:
        raise CommandError(
            f"stack {stack}: should have a running container of role {role} (got none). "
            f"Run `make up STACK={stack}`."
        )
    return running[0]


def list_backups(service: Container) -> list[Backup]:
    """All backups, oldest first."""
    lines = map(json.loads, run_inside(service, "backups", "list").splitlines())
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
    """As people read it: `12.3 MB`."""
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


def print_backups(stack: str) -> None:
    """Print a line for each backup, oldest first."""
    backups = list_backups(find_running(stack, "backups"))
    rows = [("NAME", "TAKEN", "SIZE", "ROWS", "REVISION", "CHECK"), *map(describe, backups)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())


def take_backup(stack: str) -> None:
    """Take a backup now and print its name."""
    print(run_inside(find_running(stack, "backups"), "backups", "take").strip())


def run_told(work: Callable[[], None]) -> int:
    """Do the work; 1, and why on the terminal, when it cannot be done."""
    try:
        work()
    except CommandError as error:
        print(error, file=sys.stderr)
    except DockerException as error:
        print(f"docker engine: should answer (got: {error}). Run `make doctor`.", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    else:
        return 0
    return 1


def main(arguments: Sequence[str]) -> int:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(prog="make")
    parser.add_argument("command", choices=("backup", "backups"))
    parser.add_argument("--stack", required=True)
    options = parser.parse_args(arguments)
    work = take_backup if options.command == "backup" else print_backups
    return run_told(lambda: work(options.stack))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
