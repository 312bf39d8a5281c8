"""`make restore`.

The backup is restored beside the running database and compared with its manifest; then the two
change names in one transaction. Whatever fails before that leaves the portal's data as it was.
"""

import argparse
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from docker.models.containers import Container

from infra.errors import UserError
from infra.naming import ROLE_LABEL
from operations.backups import Backup, find_backup_service, format_size, list_backups
from operations.containers import list_containers, pipe_inside, run_inside
from operations.restart import restart
from operations.runs import only_run
from operations.stack import Stack
from operations.stores import ADMINISTRATOR, DatabaseAccess, open_database_access
from operations.swarm import list_services, restart_service
from operations.terminal import is_on_terminal
from toolchain.setup.project import ROOT

_TABLE_ROWS = ROOT / "docker" / "backups" / "table-rows.sql"
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
# On a server of others this is no superuser: it ends the sessions of the roles that it made.
# Without ON_ERROR_STOP: whichever of the two has the name afterwards is open.
_SWAP = """
ALTER DATABASE devportal ALLOW_CONNECTIONS false;
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname IN ('devportal', 'devportal_restoring') AND pg_has_role(usesysid, 'MEMBER');
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

    stack: Stack
    backup: Backup
    service: Container
    access: DatabaseAccess

    def run(self, *, keep_present: bool) -> None:
        """Put the database back; with `keep_present`, back up what it replaces.

        Raises UserError when a step fails; the portal's data is what it was before.
        """
        run_inside(self.stack, self.service, "backups", "verify", self.backup.name)
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
            self._migrate()

    def _back_up_present(self) -> None:
        try:
            name = run_inside(self.stack, self.service, "backups", "take").strip()
        except UserError as error:
            raise UserError(
                f"{error} Nothing was changed. Run `make restore` with "
                "ARGS=--without-backup to lose the present data."
            ) from None
        say(f"the present data is backup {name}")

    def _restore_beside(self) -> None:
        say("restoring beside the running database")
        self._query("postgres", _BEGIN)
        send = ("backups", "send", self.backup.name)
        login, server = self.access.login(ADMINISTRATOR), self.access.container
        options = ("--dbname=devportal_restoring", "--exit-on-error", "--single-transaction")
        try:
            pipe_inside(self.stack, self.service, send, server, ["pg_restore", *login, *options])
        except UserError as error:
            raise UserError(
                f"{self.backup.name}: should be restorable (got: {error}). Nothing was changed; "
                f"`make backups STACK={self.stack.name}` lists those that are."
            ) from None

    def _compare(self) -> None:
        found = json.loads(self._query("devportal_restoring", _TABLE_ROWS.read_text()))
        if found != self.backup.tables:
            raise UserError(
                f"{self.backup.name}: should have the rows of its manifest, {self.backup.tables} "
                f"(got {found}). Nothing was changed."
            )
        say(f"{len(found)} tables have the {sum(found.values())} rows of the manifest")

    def _swap(self) -> None:
        output = self._query("postgres", _SWAP, stop_on_error=False)
        if not output.rstrip().endswith("swapped"):
            raise UserError(
                "PostgreSQL: should rename the databases (got an error, see "
                f"`make logs STACK={self.stack.name}`). Nothing was changed; try again."
            )
        self._query("postgres", "DROP DATABASE devportal_replaced WITH (FORCE);")

    def _migrate(self) -> None:
        """Bring a schema of another revision up to date, then restart the portals on it.

        Production's migrations are a container that ran once and ended; development's portal
        migrates when it starts.
        """
        if self.stack.is_on_swarm:
            for service in list_services(self.stack, ["migrations", "app"]):
                _restart(str(service.name), partial(restart_service, service))
            return
        roles: dict[str, list[Container]] = {}
        for container in list_containers(self.stack):
            roles.setdefault(container.labels[ROLE_LABEL], []).append(container)
        for job in roles.get("migrations", ()):
            say(f"starting {job.name}, which runs the missing migrations")
            job.start()
            if code := job.wait()["StatusCode"]:
                tail = job.logs(tail=10).decode(errors="replace").rstrip()
                raise UserError(
                    f"container '{job.name}': should end with 0 (got {code}). The data is "
                    f"restored, its schema is of revision {self.backup.revision}.\n{tail}"
                )
        for portal in roles.get("app", ()):
            _restart(str(portal.name), partial(restart, portal))

    def _query(self, database: str, script: str, *, stop_on_error: bool = True) -> str:
        options = ["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--file=-"]
        if stop_on_error:
            options.append("--set=ON_ERROR_STOP=1")
        command = ("psql", *self.access.login(ADMINISTRATOR), f"--dbname={database}", *options)
        return run_inside(self.stack, self.access.container, *command, text=script)


def _restart(name: str, work: Callable[[], None]) -> None:
    say(f"restarting {name} on the other schema")
    try:
        work()
    except UserError as error:
        raise UserError(f"{error}\nThe data is restored.") from None


def say(text: str) -> None:
    """Print a line of progress."""
    print(f"restore: {text}", flush=True)


def choose(backups: Iterable[Backup], name: str, stack: str) -> Backup:
    """The backup of that name. Raises UserError with the names of all that there are."""
    named = {backup.name: backup for backup in backups if backup.manifest}
    if name in named:
        return named[name]
    raise UserError(
        f"BACKUP: should name a backup of stack {stack} (got '{name}'). "
        f"There are: {', '.join(named) or 'none'}."
    )


def confirm(backup: Backup, stack: str) -> None:
    """Ask on the terminal. Raises UserError when there is no terminal, or the answer is not yes."""
    if not is_on_terminal():
        raise UserError(
            f"stack {stack}: replacing its data should be confirmed (got no terminal to ask on). "
            f"Run `make restore BACKUP={backup.name} STACK={stack} ARGS=--yes`."
        )
    taken = backup.manifest["started_at"]
    try:
        answer = input(f"Put the data of stack {stack} back to {taken}? Newer data goes. [yes/no] ")
    except EOFError:
        answer = ""
    if answer.strip() != "yes":
        raise UserError("restore: nothing was changed")


def restore(stack: Stack, options: argparse.Namespace) -> None:
    """`make restore`: put the database of a running stack back to a backup."""
    service = find_backup_service(stack)
    with open_database_access(stack) as access:
        backup = choose(list_backups(stack, service), options.backup, stack.name)
        if not options.yes:
            confirm(backup, stack.name)
        # The names of the databases that it makes and swaps are always the same.
        with only_run(stack, clears_up=False):
            Restore(stack, backup, service, access).run(keep_present=not options.without_backup)
