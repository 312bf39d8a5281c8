"""The connection pool to PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

from sqlalchemy import QueuePool, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.config import Config
from app.constants import (
    DATABASE_ANSWER_SECONDS,
    DATABASE_CONNECT_TIMEOUT_SECONDS,
    DATABASE_WAIT_SECONDS,
)
from app.exceptions import UnavailableError
from app.storage.connection import AbandonableConnection

_away_until: ContextVar[float] = ContextVar("away_until", default=0)
"""A request that has waited for a database that is away does not wait for it again."""


class Database:
    """Connections as the application's role. `errors` counts what failed since the start."""

    def __init__(self, config: Config) -> None:
        self.errors = 0
        self.pool_size = config.database_pool_size
        self._engine: AsyncEngine = create_async_engine(
            config.async_database_url,
            pool_size=config.database_pool_size,
            max_overflow=0,
            pool_timeout=DATABASE_WAIT_SECONDS * 0.9,
            # A connection of before the server's restart is noticed here, not by a request.
            pool_pre_ping=True,
            connect_args={
                "async_creator_fn": AbandonableConnection.connect,
                "connect_timeout": DATABASE_CONNECT_TIMEOUT_SECONDS,
                "options": f"-c statement_timeout={DATABASE_ANSWER_SECONDS}s",
            },
            hide_parameters=True,
        )
        self._reads = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def connect(self, engine: AsyncEngine | None = None) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction.

        Raises
        ------
        UnavailableError
            Raised when PostgreSQL does not answer in time or no connection gets free.
        """
        now = asyncio.get_running_loop().time
        if now() < _away_until.get():
            raise self._unavailable("the database does not answer")
        try:
            async with asyncio.timeout(DATABASE_WAIT_SECONDS) as bound:
                async with (engine or self._engine).begin() as connection:
                    # The server ends a slow statement first; this is for one that hangs.
                    bound.reschedule(now() + DATABASE_ANSWER_SECONDS + 1)
                    yield connection
        except PoolTimeoutError as error:
            raise self._unavailable("the database is busy") from error
        except (TimeoutError, OperationalError) as error:
            _away_until.set(now() + DATABASE_WAIT_SECONDS)
            raise self._unavailable("the database does not answer") from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise self._unavailable("the database does not answer") from error
            raise

    @property
    def connections_in_use(self) -> int:
        """Connections that requests hold now."""
        pool = self._engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for one statement that changes nothing: it needs no transaction."""
        async with self.connect(self._reads) as connection:
            yield connection

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

    def _unavailable(self, detail: str) -> UnavailableError:
        self.errors += 1
        return UnavailableError(detail)

    async def close(self) -> None:
        await self._engine.dispose()
