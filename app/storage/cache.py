"""Redis as a cache: it may forget, and it may be away."""

import logging

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.config import Config
from app.constants import REDIS_TIMEOUT_SECONDS

_logger = logging.getLogger(__name__)


class Cache:
    """Texts by key. A Redis that is away is an empty cache, not an error."""

    def __init__(self, config: Config) -> None:
        self._redis = Redis.from_url(
            config.redis_url.get_secret_value(),
            socket_timeout=REDIS_TIMEOUT_SECONDS,
            socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
            decode_responses=True,
        )

    async def get(self, key: str) -> str | None:
        try:
            value = await self._redis.get(key)
        except (RedisError, OSError) as error:
            _logger.warning("cache read skipped: %s", type(error).__name__)
            return None
        return None if value is None else str(value)

    async def put(self, key: str, value: str, *, seconds: int) -> None:
        try:
            await self._redis.set(key, value, ex=seconds)
        except (RedisError, OSError) as error:
            _logger.warning("cache write skipped: %s", type(error).__name__)

    async def ping(self) -> None:
        """Ask Redis for a sign of life; raises what the driver raises."""
        await self._redis.ping()

    async def close(self) -> None:
        await self._redis.aclose()
