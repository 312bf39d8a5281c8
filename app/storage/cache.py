"""Redis as a cache: it may forget, and it may be away."""

import logging
import secrets
import time
from collections.abc import Awaitable, Sequence
from typing import Any

from redis.exceptions import RedisError

from app.config import Config
from app.constants import REDIS_PAUSE_SECONDS, REDIS_TIMEOUT_SECONDS
from app.storage.shared_connection import Command, SharedConnection

_logger = logging.getLogger(__name__)
_GENERATION_SECONDS = 24 * 3600
"""Longer than anything is cached: a generation must not be forgotten before what it marks."""


class Cache:
    """Texts by key. A Redis that is away is an empty cache, not an error."""

    def __init__(self, config: Config) -> None:
        self._redis = SharedConnection(
            config.redis_url.get_secret_value(), timeout_seconds=REDIS_TIMEOUT_SECONDS
        )
        self._paused_until = 0.0

    async def put(self, key: str, value: str, *, seconds: int) -> None:
        """Remember a text for some seconds, or not at all if Redis is away."""
        await self._ask(("SET", key, value, "EX", seconds))

    async def look_up(self, scope: str, key: str | None) -> tuple[str | None, str | None]:
        """The generation a scope is at, made if there is none, and the text of a key if there is.

        Neither is there while Redis is away.
        """
        found = await self._ask(("MGET", scope, key) if key else ("MGET", scope))
        if found is None:
            return None, None
        generation, *texts = found[0]
        if generation is None:
            generation = await self._start_generation(scope)
        return generation, texts[0] if texts else None

    async def renew_generations(self, scopes: Sequence[str]) -> bool:
        """Make everything that is cached in these scopes old; False if Redis is away.

        Asked also of a Redis that failed just now: what it does not hear of, it shows.
        """
        renewals: list[Command] = [
            ("SET", scope, secrets.token_hex(8), "EX", _GENERATION_SECONDS) for scope in scopes
        ]
        return await self._try(self._redis.ask_together(*renewals)) is not None

    async def ping(self) -> None:
        """Ask Redis for a sign of life; raises what the driver raises."""
        await self._redis.ask(("PING",))

    async def close(self) -> None:
        await self._redis.close()

    async def _start_generation(self, scope: str) -> str | None:
        made = secrets.token_hex(8)
        # Another replica may have been first: then this answers with what it made.
        found = await self._ask(("SET", scope, made, "EX", _GENERATION_SECONDS, "NX", "GET"))
        return None if found is None else found[0] or made

    async def _ask(self, command: Command) -> list[Any] | None:
        if time.monotonic() < self._paused_until:
            return None
        return await self._try(self._redis.ask(command))

    async def _try(self, asking: Awaitable[list[Any]]) -> list[Any] | None:
        try:
            return await asking
        except RedisError as error:
            self._paused_until = time.monotonic() + REDIS_PAUSE_SECONDS
            _logger.warning("no cache for %s s: %s", REDIS_PAUSE_SECONDS, type(error).__name__)
            return None
