"""Redis as a cache: it may forget, and it may be away."""

import logging
import secrets
import time
from collections.abc import Awaitable, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError

from app.config import Config
from app.constants import REDIS_PAUSE_SECONDS, REDIS_TIMEOUT_SECONDS
from app.storage.gathering import Command, Gathering, run_commands

_logger = logging.getLogger(__name__)
_GENERATION_SECONDS = 24 * 3600
"""Longer than anything is cached: a generation must not be forgotten before what it marks."""


class Cache:
    """Texts by key. A Redis that is away is an empty cache, not an error."""

    def __init__(self, config: Config) -> None:
        self._redis = Redis.from_url(
            config.redis_url.get_secret_value(),
            socket_timeout=REDIS_TIMEOUT_SECONDS,
            socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
            # Left to itself it tries for many seconds, and a request with it.
            retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
            decode_responses=True,
        )
        self._commands: Gathering[Command, Any] = Gathering(
            lambda commands: run_commands(self._redis, commands)
        )
        self._paused_until = 0.0

    async def get(self, key: str) -> str | None:
        """The text of that key; None if there is none or Redis is away."""
        if self._is_paused():
            return None
        value = await self._ask(self._commands.get(("GET", key)))
        return None if value is None else str(value)

    async def put(self, key: str, value: str, *, seconds: int) -> None:
        """Remember a text for some seconds, or not at all if Redis is away."""
        if not self._is_paused():
            await self._ask(self._commands.get(("SET", key, value, "EX", seconds)))

    async def generations(self, scopes: Sequence[str]) -> Sequence[str | None] | None:
        """The generation each scope is at, made where there is none; None if Redis is away."""
        if self._is_paused():
            return None
        found: list[str | None] | None = await self._ask(self._commands.get(("MGET", *scopes)))
        if found is None or None not in found:
            return found
        return await self._ask(self._start_generations(scopes, found))

    async def renew_generations(self, scopes: Sequence[str]) -> bool:
        """Make everything that is cached in these scopes old; False if Redis is away.

        Asked also of a Redis that failed just now: what it does not hear of, it shows.
        """
        pipeline = self._redis.pipeline(transaction=True)
        for scope in scopes:
            pipeline.set(scope, secrets.token_hex(8), ex=_GENERATION_SECONDS)
        return await self._ask(pipeline.execute()) is not None

    async def ping(self) -> None:
        """Ask Redis for a sign of life; raises what the driver raises."""
        await self._redis.ping()

    async def close(self) -> None:
        await self._redis.aclose()

    async def _start_generations(
        self, scopes: Sequence[str], found: Sequence[str | None]
    ) -> list[str | None]:
        current = dict(zip(scopes, found, strict=True))
        tokens = {scope: secrets.token_hex(8) for scope in scopes if current[scope] is None}
        made = await run_commands(
            self._redis,
            [("SET", *item, "EX", _GENERATION_SECONDS, "NX") for item in tokens.items()],
        )
        for error in (answer for answer in made if isinstance(answer, Exception)):
            raise error
        # Another replica may have been first.
        late = [scope for scope, is_made in zip(tokens, made, strict=True) if not is_made]
        if late:
            texts: list[Any] = await self._redis.mget(late)
            tokens.update(zip(late, texts, strict=True))
        return [current[scope] or tokens[scope] for scope in scopes]

    def _is_paused(self) -> bool:
        return time.monotonic() < self._paused_until

    async def _ask(self, command: Awaitable[Any]) -> Any:
        try:
            return await command
        except (RedisError, OSError) as error:
            self._paused_until = time.monotonic() + REDIS_PAUSE_SECONDS
            _logger.warning("no cache for %s s: %s", REDIS_PAUSE_SECONDS, type(error).__name__)
            return None
