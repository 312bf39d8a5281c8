"""Redis, through redis-py's own client, and what the portal does while it is away."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client import Counter
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import ConnectionError, RedisError, ResponseError

from app.config import Config
from app.constants import REDIS_CONNECTIONS, REDIS_PAUSE_SECONDS, REDIS_TIMEOUT_SECONDS
from app.exceptions import UnavailableError

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
            max_connections=REDIS_CONNECTIONS,
            socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
            socket_timeout=REDIS_TIMEOUT_SECONDS,
            # A connection that was lost is replaced at once. A command that got no answer in time
            # is not sent again: the request that waits for it has to end within a second.
            retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
        )
        self._client = Redis.from_pool(pool)
        self._errors = errors
        self._paused_until = 0.0

    @contextmanager
    def reach(self, *, despite_pause: bool = False) -> Iterator[Any]:
        """The client (`redis.asyncio.Redis`), to run commands with inside the block.

        It decodes replies to text, which its own types do not know, so it is not typed here.

        Raises
        ------
        UnavailableError
            Raised when Redis does not answer, or did not a moment ago.
        ResponseError
            Raised when Redis answers that a command is wrong.
        """
        if time.monotonic() < self._paused_until and not despite_pause:
            raise UnavailableError("the session store does not answer")
        try:
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
        await self._client.ping()

    async def close(self) -> None:
        await self._client.aclose()
