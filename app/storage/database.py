"""The connection pool to PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import psycopg
from prometheus_client import Counter
from psycopg import AsyncConnection as PsycopgConnection
from psycopg.abc import RV, PQGen
from psycopg.waiting import wait_async
from sqlalchemy import QueuePool, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from app.config import Config
from app.constants import (
    DATABASE_ANSWER_SECONDS,
    DATABASE_CONNECT_TIMEOUT_SECONDS,
    DATABASE_WAIT_SECONDS,
)
from app.exceptions import UnavailableError
from app.storage.database_errors import is_lost, refusal_of

Found = TypeVar("Found")
_is_trusted: ContextVar[bool] = ContextVar("is_trusted", default=False)
"""Whether a connection is handed out without a ping before."""
_away_until: ContextVar[float] = ContextVar("away_until", default=0)
"""A request that has waited for a database that is away does not wait for it again."""
_INTERVAL_SECONDS = 0.1
"""How often a wait looks for interruptions, as in the driver."""


class AbandonableConnection(PsycopgConnection[Any]):
    """Closes itself when a wait for the server is cancelled.

    The driver would ask the server to cancel the statement, for 5 s, and then wait for that for
    another 5 s: a request that should fail within a second hangs that long on a server which is
    frozen. A server that is alive ends an abandoned statement by its own `statement_timeout`.
    """

    async def wait(
        self,
        gen: PQGen[RV],
        interval: float = _INTERVAL_SECONDS,
        timeout: float | None = None,
    ) -> RV:
        """As the driver's, but gives the connection up when it is cancelled."""
        try:
            return await wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)
        except asyncio.CancelledError:
            self.pgconn.finish()
            raise


class Database:
    """Connections as the application's role.

    Parameters
    ----------
    errors
        Counts what failed because PostgreSQL was away or busy.
    """

    def __init__(self, config: Config, errors: Counter) -> None:
        self._errors = errors
        self.pool_size = config.database_pool_size
        self._engine: AsyncEngine = create_async_engine(
            config.async_database_url,
            pool_size=config.database_pool_size,
            max_overflow=0,
            # Reads need no transaction, and to switch to and fro costs each of them some time.
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
            # `connect` ends its transaction itself.
            pool_reset_on_return=None,
            pool_timeout=DATABASE_WAIT_SECONDS * 0.9,
            connect_args={
                "async_creator_fn": AbandonableConnection.connect,
                "connect_timeout": DATABASE_CONNECT_TIMEOUT_SECONDS,
                "options": f"-c statement_timeout={DATABASE_ANSWER_SECONDS}s",
            },
            hide_parameters=True,
        )
        _ping_before_use(self._engine)
        self._transactions = self._engine.execution_options(isolation_level="READ COMMITTED")

    @property
    def connections_in_use(self) -> int:
        """Connections that requests hold now."""
        pool = self._engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction.

        Raises
        ------
        UnavailableError
            Raised when PostgreSQL does not respond in time or no connection becomes free.
        PortalError
            Raised for a statement that the request has made wrong, as `refusal_of` tells.
        """
        async with self._reach(self._transactions.begin()) as connection:
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for statements that change nothing: they need no transaction.

        Raises as `connect` does.
        """
        async with self._reach(self._engine.connect()) as connection:
            yield connection

    async def read_quickly(self, query: Callable[[AsyncConnection], Awaitable[Found]]) -> Found:
        """The result of one short statement; raises as `connect` does.

        The connection is not pinged first, which takes as long as such a statement: if it was lost,
        the statement is sent again over another one. The statement has no more time than others
        have to get a connection.
        """
        try:
            async with self._reach(self._engine.connect(), is_quick=True) as connection:
                return await query(connection)
        except UnavailableError as error:
            cause = error.__cause__
            if not (isinstance(cause, DBAPIError) and cause.connection_invalidated):
                raise
        _away_until.set(0)
        async with self.read() as connection:
            return await query(connection)

    @asynccontextmanager
    async def _reach(
        self, opening: AbstractAsyncContextManager[AsyncConnection], *, is_quick: bool = False
    ) -> AsyncIterator[AsyncConnection]:
        """The connection that is opened, with bounds on the time until then and afterwards."""
        now = asyncio.get_running_loop().time
        if now() < _away_until.get():
            raise self._unavailable("the database does not answer")
        try:
            async with asyncio.timeout(DATABASE_WAIT_SECONDS) as bound:
                _is_trusted.set(is_quick)
                async with opening as connection:
                    # The server ends a slow statement first; this is for one that hangs.
                    seconds = DATABASE_WAIT_SECONDS if is_quick else DATABASE_ANSWER_SECONDS + 1
                    bound.reschedule(now() + seconds)
                    yield connection
        except PoolTimeoutError as error:
            raise self._unavailable("the database is busy") from error
        except (TimeoutError, UnicodeEncodeError, DBAPIError) as error:
            if is_lost(error):
                _away_until.set(now() + DATABASE_WAIT_SECONDS)
                raise self._unavailable("the database does not answer") from error
            if refusal := refusal_of(error):
                raise refusal from error
            if isinstance(error, OperationalError):
                raise self._unavailable("the database cannot do this now") from error
            raise

    async def ping(self) -> None:
        """Check that PostgreSQL answers."""
        async with self.read() as connection:
            await connection.execute(text("select 1"))

    async def migration_heads(self) -> set[str]:
        """Revisions the schema is at; empty before the first migration."""
        async with self.read() as connection:
            known = await connection.scalar(text("select to_regclass('alembic_version')"))
            if known is None:
                return set()
            return set(await connection.scalars(text("select version_num from alembic_version")))

    def _unavailable(self, detail: str) -> UnavailableError:
        self._errors.inc()
        return UnavailableError(detail)

    async def close(self) -> None:
        await self._engine.dispose()


def _ping_before_use(engine: AsyncEngine) -> None:
    """Find connections that a restart of the server has broken before a request gets them.

    The pool's own `pool_pre_ping` cannot leave out a connection that is new or trusted.
    """

    def note_new(_: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        record.info["is_new"] = True

    def ping(connection: DBAPIConnection, record: ConnectionPoolEntry, _: object) -> None:
        if record.info.pop("is_new", False) or _is_trusted.get():
            return
        try:
            engine.sync_engine.dialect.do_ping(connection)
        except psycopg.Error as error:
            # The pool connects anew, and hands out none of the others any more.
            raise InvalidatePoolError("the connection was lost") from error

    event.listen(engine.sync_engine.pool, "connect", note_new)
    event.listen(engine.sync_engine.pool, "checkout", ping)
