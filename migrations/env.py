"""How Alembic reaches the database: as the migrator role, with bounded waits."""

from alembic import context
from sqlalchemy import NullPool, create_engine

from app.schema import Base

# A migration that waits longer for a table's lock holds up every request behind it, and one that
# runs longer than the other limit should say so itself with SET LOCAL.
_LIMITS = {"lock_timeout": "5s", "statement_timeout": "5min"}


def run_migrations() -> None:
    """Run in one transaction on a connection of its own."""
    url = context.config.attributes.get("url") or _url_by_hand()
    options = " ".join(f"-c {name}={value}" for name, value in _LIMITS.items())
    limits = {"options": options, "connect_timeout": 2}
    engine = create_engine(url, poolclass=NullPool, connect_args=limits)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata)
        with context.begin_transaction():
            context.run_migrations()


def _url_by_hand() -> str:
    """The address for `alembic` itself, which knows nothing of the portal's settings."""
    from app.config import load_config, with_driver

    return with_driver(load_config().secret_for("alembic", "migration_database_url"))


def print_migrations() -> None:
    """Print the SQL instead of running it, for `alembic upgrade --sql`."""
    context.configure(dialect_name="postgresql", target_metadata=Base.metadata)
    with context.begin_transaction():
        for name, value in _LIMITS.items():
            context.execute(f"SET LOCAL {name} = '{value}'")
        context.run_migrations()


print_migrations() if context.is_offline_mode() else run_migrations()
