"""Brings the schema to the newest revision, once, however many replicas start together."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine, text

from app.config import Config
from app.constants import DATABASE_CONNECT_TIMEOUT_SECONDS, MIGRATION_LOCK_KEY

_FOLDER = Path(__file__).resolve().parent.parent / "migrations"


def migrate(config: Config) -> list[str]:
    """Apply what is missing under an advisory lock; the revisions that were applied.

    The lock belongs to a session of its own: Alembic's connection commits and rolls back as it
    likes, which would drop a lock of its transaction. The schema's revision is read inside the
    lock, so that whoever waited for it finds the work done.
    """
    with _locked(config) as connection:
        current = set(MigrationContext.configure(connection).get_current_heads())
        connection.rollback()
        missing = _missing_revisions(current)
        if missing:
            command.upgrade(alembic_config(config), "heads")
        return missing


@cache
def code_heads() -> frozenset[str]:
    """Revisions the schema should be at for this code."""
    return frozenset(ScriptDirectory(str(_FOLDER)).get_heads())


def alembic_config(config: Config) -> AlembicConfig:
    """Alembic's own configuration, with the migrator role's URL."""
    alembic = AlembicConfig(_FOLDER / "alembic.ini")
    alembic.set_main_option("script_location", str(_FOLDER))
    alembic.attributes["url"] = config.sync_migration_url
    return alembic


def _missing_revisions(current: set[str]) -> list[str]:
    scripts = ScriptDirectory(str(_FOLDER))
    if current == set(scripts.get_heads()):
        return []
    lower = tuple(sorted(current)) or "base"
    walked = scripts.iterate_revisions("heads", lower)
    return [script.revision for script in walked if script.revision not in current][::-1]


@contextmanager
def _locked(config: Config) -> Iterator[Connection]:
    engine = create_engine(
        config.sync_migration_url,
        poolclass=NullPool,
        connect_args={"connect_timeout": DATABASE_CONNECT_TIMEOUT_SECONDS},
    )
    with engine.connect() as connection:
        connection.execute(text("select pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK_KEY})
        connection.commit()
        try:
            yield connection
        finally:
            # Closing the session gives the lock back; nothing may be left open in it.
            connection.rollback()
