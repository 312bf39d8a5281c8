"""Redis as a cache: it may forget, and it may be away."""

import secrets
from collections.abc import Sequence

from app.exceptions import UnavailableError
from app.storage.redis_store import RedisStore

_GENERATION_SECONDS = 24 * 3600
"""Longer than anything is cached: a generation must not be forgotten before what it marks."""

# One round trip, and of two replicas that find no generation only one makes it.
_LOOK_UP = """
local generation = redis.call('GET', KEYS[1])
if not generation then
    generation = ARGV[1]
    redis.call('SET', KEYS[1], generation, 'EX', ARGV[2])
end
return {generation, KEYS[2] and redis.call('GET', KEYS[2]) or false}
"""


class Cache:
    """Texts by key. A Redis that is away is an empty cache, not an error."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        self._look_up = store.register_script(_LOOK_UP)

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
            with self._store.reach():
                generation, text = await self._look_up(
                    keys=[scope, key] if key else [scope],
                    args=[secrets.token_hex(8), _GENERATION_SECONDS],
                )
        except UnavailableError:
            return None, None
        return generation, text

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
