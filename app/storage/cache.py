"""Redis as a cache: it may forget, and it may be away."""

import secrets
from collections.abc import Sequence

from app.exceptions import UnavailableError
from app.storage.redis_store import RedisStore

_GENERATION_SECONDS = 24 * 3600
"""Longer than anything is cached: a generation must not be forgotten before what it marks."""


class Cache:
    """Texts by key. A Redis that is away is an empty cache, not an error."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    async def put(self, key: str, value: str, *, seconds: int) -> None:
        """Keep a text for some seconds, or not at all if Redis is away."""
        try:
            with self._store.reach() as redis:
                await redis.set(key, value, ex=seconds)
        except UnavailableError:
            return

    async def look_up(self, scope: str, key: str | None) -> tuple[str | None, str | None]:
        """The scope's generation, made if there is none, and the text of a key if there is one.

        Both are None while Redis is away.
        """
        try:
            with self._store.reach() as redis:
                generation, *texts = await redis.mget([scope, key] if key else [scope])
            return generation or await self._start_generation(scope), texts[0] if texts else None
        except UnavailableError:
            return None, None

    async def renew_generations(self, scopes: Sequence[str]) -> bool:
        """Make everything that is cached in these scopes old; False if Redis is away.

        Tried even if Redis failed a moment ago: it would go on serving a change it missed.
        """
        try:
            with self._store.reach(despite_pause=True) as redis:
                renewal = redis.pipeline()
                for scope in scopes:
                    renewal.set(scope, secrets.token_hex(8), ex=_GENERATION_SECONDS)
                await renewal.execute()
        except UnavailableError:
            return False
        return True

    async def _start_generation(self, scope: str) -> str:
        made = secrets.token_hex(8)
        with self._store.reach() as redis:
            # Another replica may have been first: then this answers with what it made.
            found: str | None = await redis.set(
                scope, made, ex=_GENERATION_SECONDS, nx=True, get=True
            )
        return found or made
