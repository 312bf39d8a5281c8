"""The connection pool to PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.config import Config
from app.constants import DATABASE_CONNECT_TIMEOUT_SECONDS
from app.exceptions import UnavailableError


class Database:
    """Connections as the application's role."""

    def __init__(self, config: Config) -> None:
        self._engine: AsyncEngine = create_async_engine(
            config.async_database_url,
            pool_size=config.database_pool_size,
            max_overflow=0,
            pool_timeout=DATABASE_CONNECT_TIMEOUT_SECONDS,
            # A connection of before the server's restart is noticed here, not by a request.
            pool_pre_ping=True,
            connect_args={"connect_timeout": DATABASE_CONNECT_TIMEOUT_SECONDS},
        )

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction.

        Raises
        ------
        UnavailableError
            Raised when PostgreSQL does not answer or no connection gets free in time.
        """
        try:
            async with self._engine.begin() as connection:
                yield connection
        except PoolTimeoutError as error:
            raise UnavailableError("the database is busy") from error
        except DBAPIError as error:
            if error.connection_invalidated or _lost_connection(error):
                raise UnavailableError("the database does not answer") from error
            raise

    async def ping(self) -> None:
        """Ask PostgreSQL for a sign of life."""
        async with self.connect() as connection:
            await connection.execute(text("select 1"))

    async def migration_heads(self) -> set[str]:
        """Revisions the schema is at; empty before the first migration."""
        async with self.connect() as connection:
            known = await connection.scalar(text("select to_regclass('alembic_version')"))
            if known is None:
                return set()
            return set(await connection.scalars(text("select version_num from alembic_version")))

    async def close(self) -> None:
        await self._engine.dispose()


def _lost_connection(error: DBAPIError) -> bool:
    """psycopg reports a refused or broken connection as an OperationalError without SQLSTATE."""
    return type(error.orig).__name__ == "OperationalError"
