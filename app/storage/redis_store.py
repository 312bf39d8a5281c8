"""Redis, through redis-py's own client, and what the portal does while it is away."""

import asyncio
import builtins
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from prometheus_client import Counter
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import ConnectionError, RedisError, ResponseError, TimeoutError
from redis.maint_notifications import MaintNotificationsConfig

from app.config import Config
from app.constants import REDIS_CONNECTIONS, REDIS_PAUSE_SECONDS, REDIS_TIMEOUT_SECONDS
from app.exceptions import UnavailableError

_TICKS = 7
_logger = logging.getLogger(__name__)


class RedisStore:
    """One pooled client for the whole application.

    A Redis that failed is left alone for a moment: one request finds out that it is away, and the
    others do not wait for it as well.
    """

    def __init__(self, config: Config, errors: Counter) -> None:
        pool = ConnectionPool.from_url(
            config.redis_url.get_secret_value(),
            decode_responses=True,
            protocol=3,
            # `_in_time` bounds connecting and replies together; the client's own limit on writing
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
        self._paused_until = 0.0

    @asynccontextmanager
    async def reach(self, *, despite_pause: bool = False) -> AsyncIterator[Any]:
        """The client (`redis.asyncio.Redis`), to run commands with inside the block.

        It decodes replies to text, which its own types do not know, so it is not typed here.

        Raises
        ------
        UnavailableError
            Raised when Redis does not answer, or did not a moment ago.
        ResponseError
            Raised when Redis answers that a command is wrong.
        """
        async with self._turns:
            # Redis may have failed while this waited for its turn.
            if time.monotonic() < self._paused_until and not despite_pause:
                raise UnavailableError("the session store does not answer")
            try:
                async with _in_time():
                    yield self._client
            except ResponseError:
                self._errors.inc()
                raise
            except RedisError as error:
                self._errors.inc()
                self._paused_until = time.monotonic() + REDIS_PAUSE_SECONDS
                _logger.warning("no Redis for %s s: %s", REDIS_PAUSE_SECONDS, type(error).__name__)
                raise UnavailableError("the session store does not answer") from error

    def register_script(self, script: str) -> AsyncScript:
        """A Lua script that is sent once and run by its hash; to be called inside `reach`."""
        return self._client.register_script(script)

    async def ping(self) -> None:
        """Check that Redis answers; raises the client's own error."""
        async with _in_time():
            await self._client.ping()

    async def close(self) -> None:
        await self._client.aclose()


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    """Raise the client's TimeoutError when the block takes longer than Redis may.

    Time in which this process got no processor does not count: a reply may be waiting to be read
    then. So the limit is counted in several ticks, and a late one still counts as one.
    """
    loop, left = asyncio.get_running_loop(), _TICKS

    def tick() -> None:
        nonlocal left, timer
        left -= 1
        if left:
            timer = loop.call_later(REDIS_TIMEOUT_SECONDS / _TICKS, tick)
        else:
            bound.reschedule(loop.time())

    try:
        async with asyncio.timeout(None) as bound:
            timer = loop.call_later(REDIS_TIMEOUT_SECONDS / _TICKS, tick)
            try:
                yield
            finally:
                timer.cancel()
    except builtins.TimeoutError as error:
        raise TimeoutError("no reply in time") from error
