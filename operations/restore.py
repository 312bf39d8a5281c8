"""`make restore`; runs in the program's Python, which has the Docker SDK.

The backup is restored beside the running database and compared with its manifest; then the two
change names in one transaction. Whatever fails before that leaves the portal's data as it was.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from docker.models.containers import Container

from operations.backups import Backup, find_running, format_size, list_backups, run_told
from operations.containers import list_containers
from operations.errors import CommandError
from operations.inside import feed, read_from, run_inside

_ROOT = Path(__file__).resolve().parents[1]
_TABLE_ROWS = _ROOT / "docker" / "backups" / "table-rows.sql"
_HEALTHY_SECONDS = 120
_REVISION = """
SELECT to_regclass('public.alembic_version') IS NOT NULL AS migrated \\gset
\\if :migrated
    SELECT string_agg(version_num, ',' ORDER BY version_num) FROM public.alembic_version;
\\endif
"""
# The grants on a database itself are not in a dump of it; they are those of init.sql.
_BEGIN = """
DROP DATABASE IF EXISTS devportal_restoring WITH (FORCE);
DROP DATABASE IF EXISTS devportal_replaced WITH (FORCE);
CREATE DATABASE devportal_restoring TEMPLATE template0 OWNER devportal_migrator;
REVOKE ALL ON DATABASE devportal_restoring FROM PUBLIC;
GRANT CONNECT ON DATABASE devportal_restoring TO devportal_user, devportal_backup;
"""
_FORGET = "DROP DATABASE IF EXISTS devportal_restoring WITH (FORCE);"
# Without ON_ERROR_STOP: whichever of the two has the name afterwards is open.
_SWAP = """
ALTER DATABASE devportal ALLOW_CONNECTIONS false;
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname IN ('devportal', 'devportal_restoring');
BEGIN;
ALTER DATABASE devportal RENAME TO devportal_replaced;
ALTER DATABASE devportal_restoring RENAME TO devportal;
COMMIT;
ALTER DATABASE devportal ALLOW_CONNECTIONS true;
SELECT CASE WHEN EXISTS (SELECT FROM pg_database WHERE datname = 'devportal_replaced')
    THEN 'swapped' END;
"""


@dataclass(frozen=True)
class Restore:
    """One backup on its way back into a running stack."""

    stack: str
    backup: Backup
    service: Container
    server: Container

    def run(self, *, keep_present: bool) -> None:
        """Put the database back; with `keep_present`, back up what it replaces.

        Raises
        ------
        CommandError
            Raised when a step fails; the portal's data is what it was before.
        """
        run_inside(self.service, "backups", "verify", self.backup.name)
        size = format_size(self.backup.manifest["size_bytes"])
        say(f"{self.backup.name}, {size}, has the checksum of its manifest")
        if keep_present:
            self._back_up_present()
        before = self._query("devportal", _REVISION).strip()
        try:
            self._restore_beside()
            self._compare()
            self._swap()
        finally:
            self._query("postgres", _FORGET)
        say("the restored database is in place")
        if before != self.backup.revision:
            self._restart_portals()

    def _back_up_present(self) -> None:
        try:
            name = run_inside(self.service, "backups", "take").strip()
        except CommandError as error:
            raise CommandError(
                f"{error} Nothing was changed. Run `make restore` with "
                "ARGS=--without-backup to lose what is there now."
            ) from None
        say(f"what is there now is backup {name}")

    def _restore_beside(self) -> None:
        say("restoring beside the running database")
        self._query("postgres", _BEGIN)
        dump = read_from(self.service, "backups", "send", self.backup.name)
        command = ("pg_restore", "--username=postgres", "--dbname=devportal_restoring")
        try:
            feed(self.server, dump, *command, "--exit-on-error", "--single-transaction")
        except CommandError as error:
            raise CommandError(
                f"{self.backup.name}: should be restorable (got: {error}). Nothing was changed; "
                f"`make backups STACK={self.stack}` tells which can be."
            ) from None

    def _compare(self) -> None:
        found = json.loads(self._query("devportal_restoring", _TABLE_ROWS.read_text()))
        if found != self.backup.tables:
            raise CommandError(
                f"{self.backup.name}: should have the rows of its manifest, {self.backup.tables} "
                f"(got {found}). Nothing was changed."
            )
        say(f"{len(found)} tables have the {sum(found.values())} rows of the manifest")

    def _swap(self) -> None:
        said = self._query("postgres", _SWAP, stop_on_error=False)
        if not said.rstrip().endswith("swapped"):
            raise CommandError(
                "PostgreSQL: should let the databases change names (got an error, see "
                f"`make logs STACK={self.stack}`). Nothing was changed; try again."
            )
        self._query("postgres", "DROP DATABASE devportal_replaced WITH (FORCE);")

    def _restart_portals(self) -> None:
        """Another revision of the schema: migrations run when a portal starts."""
        for portal in list_containers(self.stack, "app"):
            say(f"restarting {portal.name}, which runs the migrations that are missing")
            portal.restart(timeout=portal.attrs["Config"].get("StopTimeout") or 10)
            _wait_until_healthy(portal)

    def _query(self, database: str, script: str, *, stop_on_error: bool = True) -> str:
        options = ["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--file=-"]
        if stop_on_error:
            options.append("--set=ON_ERROR_STOP=1")
        command = ("psql", "--username=postgres", f"--dbname={database}", *options)
        return feed(self.server, [script.encode()], *command)


def _wait_until_healthy(container: Container) -> None:
    deadline = time.monotonic() + _HEALTHY_SECONDS
    while True:
        container.reload()
        if container.attrs["State"].get("Health", {}).get("Status") == "healthy":
            return
        if time.monotonic() > deadline:
            raise CommandError(
                f"container '{container.name}': should become healthy within {_HEALTHY_SECONDS} s "
                f"(got: it is {container.status}). The data is restored; see its log."
            )
        time.sleep(0.2)


def say(text: str) -> None:
    """One line of progress."""
    print(f"restore: {text}", flush=True)


def choose(backups: Iterable[Backup], name: str, stack: str) -> Backup:
    """The backup of that name.

    Raises
    ------
    CommandError
        Raised with the names there are.
    """
    named = {backup.name: backup for backup in backups if backup.manifest}
    if name in named:
        return named[name]
    there = ", ".join(named) or "none"
    raise CommandError(
        f"BACKUP: should name a backup of stack {stack} (got '{name}'). There are: {there}."
    )


def confirm(backup: Backup, stack: str) -> None:
    """Ask on the terminal.

    Raises
    ------
    CommandError
        Raised when nobody can be asked, or says no.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CommandError(
            f"stack {stack}: replacing its data should be confirmed (got no terminal to ask on). "
            f"Run `make restore BACKUP={backup.name} STACK={stack} ARGS=--yes`."
        )
    taken = backup.manifest["started_at"]
    said = input(f"Put the data of stack {stack} back to {taken}? What is newer goes. [yes/no] ")
    if said.strip() != "yes":
        raise CommandError("restore: nothing was changed")


def restore(stack: str, name: str, *, confirmed: bool, keep_present: bool) -> None:
    """Put the database of a running stack back to a backup.

    Raises
    ------
    CommandError
        Raised when it cannot be done.
    """
    service = find_running(stack, "backups")
    server = find_running(stack, "postgres")
    backup = choose(list_backups(service), name, stack)
    if not confirmed:
        confirm(backup, stack)
    Restore(stack, backup, service, server).run(keep_present=keep_present)


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="make restore")
    parser.add_argument("--stack", required=True)
    parser.add_argument("--backup", default="")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--without-backup", action="store_true", help="do not back up first what is there now"
    )
    given = parser.parse_args(arguments)
    keep_present = not given.without_backup
    return run_told(
        lambda: restore(given.stack, given.backup, confirmed=given.yes, keep_present=keep_present)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
