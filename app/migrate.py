"""Brings the schema to the newest revision, once, however many replicas start together."""

from typing import TYPE_CHECKING

import psycopg

from app.config import Config, with_driver
from app.constants import (
    DATABASE_CONNECT_TIMEOUT_SECONDS,
    MIGRATION_LOCK_KEY,
    MIGRATION_LOCK_WAIT_SECONDS,
)
from app.exceptions import CommandError, one_line
from app.revisions import MIGRATIONS, code_revisions

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig


def migrate(config: Config) -> list[str]:
    """Apply missing revisions under an advisory lock; returns those that were applied.

    The lock belongs to a session of its own: Alembic's connection commits and rolls back as it
    likes. The schema's revision is read again inside the lock, so that a replica that waited for it
    finds the work done.

    Raises
    ------
    CommandError
        Raised when PostgreSQL does not respond, the lock does not become free or a revision fails.
    """
    revisions = code_revisions()
    with _connect(config) as session:
        try:
            if revisions.are_reached_by(_read_heads(session)):
                return []
            _lock(session)
            found = _read_heads(session)
        except psycopg.Error as error:
            raise CommandError(
                f"PostgreSQL should run the migrator's statements (got: {one_line(error)})."
            ) from error
        return [] if revisions.are_reached_by(found) else _upgrade(config, found)


def alembic_config(config: Config) -> "AlembicConfig":
    """Alembic's own configuration, with the migrator role's URL."""
    from alembic.config import Config as AlembicConfig

    alembic = AlembicConfig(MIGRATIONS / "alembic.ini")
    alembic.attributes["url"] = with_driver(_migration_url(config))
    return alembic


def _migration_url(config: Config) -> str:
    return config.secret_for("migrate", "migration_database_url")


def _connect(config: Config) -> psycopg.Connection[tuple[str]]:
    try:
        return psycopg.connect(
            _migration_url(config),
            connect_timeout=DATABASE_CONNECT_TIMEOUT_SECONDS,
            # An open transaction would hold up vacuum for as long as the migration takes.
            autocommit=True,
        )
    except psycopg.Error as error:
        raise CommandError(
            f"PostgreSQL should accept the migrator's connection (got: {one_line(error)}). "
            "Check MIGRATION_DATABASE_URL."
        ) from error


def _read_heads(session: psycopg.Connection[tuple[str]]) -> set[str]:
    known = session.execute("select to_regclass('alembic_version')::text").fetchone()
    if known is None or known[0] is None:
        return set()
    return {row[0] for row in session.execute("select version_num from alembic_version")}


def _lock(session: psycopg.Connection[tuple[str]]) -> None:
    """Take the lock of migrations; closing the session, or its death, gives it back."""
    key = (MIGRATION_LOCK_KEY,)
    taken = session.execute("select pg_try_advisory_lock(%s)::text", key).fetchone()
    if taken == ("true",):
        return
    print("migrate: another replica is migrating, waiting for it", flush=True)
    limit = (f"{MIGRATION_LOCK_WAIT_SECONDS}s",)
    session.execute("select set_config('lock_timeout', %s, false)", limit)
    session.execute("select pg_advisory_lock(%s)::text", key)


def _upgrade(config: Config, found: set[str]) -> list[str]:
    from alembic import command
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError as AlembicError
    from sqlalchemy.exc import SQLAlchemyError

    lower = tuple(sorted(found)) or "base"
    walked = ScriptDirectory(str(MIGRATIONS)).iterate_revisions("heads", lower)
    missing = [script.revision for script in walked if script.revision not in found][::-1]
    print(f"migrate: applying {', '.join(missing)}", flush=True)
    try:
        command.upgrade(alembic_config(config), "heads")
    except (AlembicError, SQLAlchemyError) as error:
        raise CommandError(
            f"{', '.join(missing)} should apply (got: {one_line(error)}). "
            "The schema is as it was before. Correct the migration or the data that it "
            "refuses, then run this again."
        ) from error
    return missing
