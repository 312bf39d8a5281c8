"""How Alembic reaches the database: as the migrator role, with bounded waits for locks."""

from alembic import context
from sqlalchemy import NullPool, create_engine, text

from app.schema.tables import Base

# A migration that waits longer for a table's lock holds up every request behind it.
_LOCK_TIMEOUT = "5s"


def run_migrations() -> None:
    """Run in one transaction on a connection of its own."""
    url = context.config.attributes.get("url")
    if url is None:
        from app.config import load_config

        url = load_config().sync_migration_url
    with create_engine(url, poolclass=NullPool).connect() as connection:
        connection.execute(text(f"set lock_timeout = '{_LOCK_TIMEOUT}'"))
        connection.commit()
        context.configure(connection=connection, target_metadata=Base.metadata)
        with context.begin_transaction():
            context.run_migrations()


run_migrations()
