"""Redis as the place of sessions and limits: what is asked there cannot be made up."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError, ResponseError

from app.config import Config
from app.constants import (
    REDIS_CONNECTIONS,
    REDIS_PAUSE_SECONDS,
    SESSION_STORE_TIMEOUT_SECONDS,
)
from app.exceptions import UnavailableError

_logger = logging.getLogger(__name__)


class RedisServer:
    """Connections to Redis. `errors` counts what failed since the start."""

    def __init__(self, config: Config) -> None:
        self._redis = Redis.from_url(
            config.redis_url.get_secret_value(),
            socket_timeout=SESSION_STORE_TIMEOUT_SECONDS,
            socket_connect_timeout=SESSION_STORE_TIMEOUT_SECONDS,
            # A connection of before the server's restart fails once; one that hangs did its time.
            retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
            decode_responses=True,
        )
        # Requests wait for their turn: a burst is no failure of the server's.
        self._turns = asyncio.Semaphore(REDIS_CONNECTIONS)
        self._paused_until = 0.0
        self.errors = 0

    async def ask(self, command: Callable[[Redis], Awaitable[Any]]) -> Any:
        """What `command` gets from Redis.

        Raises
        ------
        UnavailableError
            Raised when Redis does not answer, or did not a moment ago.
        """
        try:
            async with self._turns:
                # Whoever waited while it failed does not find out anew.
                if time.monotonic() < self._paused_until:
                    raise UnavailableError("the session store does not answer")
                return await command(self._redis)
        except ResponseError:
            # It answers: the mistake is ours.
            self.errors += 1
            raise
        except (RedisError, OSError, TimeoutError) as error:
            self.errors += 1
            self._paused_until = time.monotonic() + REDIS_PAUSE_SECONDS
            _logger.warning("no sessions for %s s: %s", REDIS_PAUSE_SECONDS, type(error).__name__)
            raise UnavailableError("the session store does not answer") from error

    async def close(self) -> None:
        await self._redis.aclose()
