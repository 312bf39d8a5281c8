"""Redis, through redis-py's own client, and what the portal does while it is away."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from prometheus_client import Counter
from redis.asyncio import Connection, ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import (
    ConnectionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.maint_notifications import MaintNotificationsConfig

from app.config import Config
from app.constants import REDIS_CONNECTIONS, REDIS_RETRY_SECONDS, REDIS_TIMEOUT_SECONDS
from app.exceptions import UnavailableError

_logger = logging.getLogger(__name__)
_NO_CHANGES = ("MISCONF", "NOREPLICAS")
"""How Redis refuses every change while its disk is full, or too few replicas follow it."""


class _Connection(Connection):
    """Reports a reset while it was idle as any other loss, so that the client replaces it.

    uvloop has an error of its own for writing to such a connection, which the client does not know:
    the first request after Redis had moved was answered 500.
    """

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        try:
            await super().send_packed_command(command, check_health)
        except RuntimeError as error:
            raise ConnectionError(str(error)) from error


class RedisStore:
    """One pooled client for the whole application.

    A Redis that failed is left alone until it answers a ping: one request finds out that it is
    away, and the others do not wait for it as well.
    """

    def __init__(self, config: Config, errors: Counter) -> None:
        pool = ConnectionPool.from_url(
            config.redis_url.get_secret_value(),
            # Over TLS the client takes its own in place of it, which tells such a loss by itself.
            connection_class=_Connection,
            decode_responses=True,
            protocol=3,
            # `reach` bounds connecting and replies together; the client's own limit on writing
            # makes a task for each command.
            socket_connect_timeout=None,
            socket_timeout=None,
            # A new connection would send three more commands, for what nothing here uses.
            driver_info=None,
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
            # A connection that was lost is replaced at once. A command that got no answer in time
            # is not sent again: the request that waits for it has to end within a second.
            retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
        )
        self._client = Redis.from_pool(pool)
        self._turns = asyncio.Semaphore(REDIS_CONNECTIONS)
        self._errors = errors
        self._return: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def reach(self, *, even_if_away: bool = False) -> AsyncIterator[Any]:
        """The client (`redis.asyncio.Redis`), to run commands with inside the block.

        It decodes replies to text, which its own types do not know, so it is not typed here.

        Raises
        ------
        UnavailableError
            Raised when Redis does not answer, or did not and has not come back yet, and when it
            takes no changes at all.
        ResponseError
            Raised when Redis answers that a command is wrong.
        """
        async with self._turns:
            # Redis may have failed while this waited for its turn.
            if self._return is not None and not even_if_away:
                raise UnavailableError("the session store does not answer")
            try:
                async with asyncio.timeout(REDIS_TIMEOUT_SECONDS):
                    yield self._client
            except ResponseError as error:
                self._errors.inc()
                if _takes_no_changes(error):
                    raise UnavailableError("the session store takes no changes") from error
                raise
            except (RedisError, OSError) as error:
                self._errors.inc()
                if self._return is None:
                    _logger.warning("Redis is away: %s", type(error).__name__)
                    self._return = asyncio.create_task(self._await_return())
                raise UnavailableError("the session store does not answer") from error

    def register_script(self, script: str) -> AsyncScript:
        """A Lua script that is sent once and run by its hash; to be called inside `reach`."""
        return self._client.register_script(script)

    async def ping(self) -> None:
        """Check that Redis answers; raises the client's own error, or TimeoutError."""
        async with asyncio.timeout(REDIS_TIMEOUT_SECONDS):
            await self._client.ping()

    async def _await_return(self) -> None:
        while True:
            try:
                await self.ping()
            except (RedisError, OSError):
                await asyncio.sleep(REDIS_RETRY_SECONDS)
            else:
                break
        _logger.warning("Redis is back")
        self._return = None

    async def close(self) -> None:
        if self._return is not None:
            self._return.cancel()
        await self._client.aclose()


def _takes_no_changes(error: ResponseError) -> bool:
    """Whether the command is right: the disk or memory is full, or another is the primary now."""
    return isinstance(error, OutOfMemoryError | ReadOnlyError) or any(
        code in str(error) for code in _NO_CHANGES
    )
