"""Redis as a cache: it may forget, and it may be away."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from app.exceptions import UnavailableError
from app.storage.redis_store import RedisStore

_GENERATION_SECONDS = 24 * 3600
"""Longer than anything is cached: a generation must not be forgotten before what it marks."""

LOOK_UP = """
local function look_up(scope, entry, new_generation, seconds)
    local generation = redis.call('GET', scope)
    if not generation then
        generation = new_generation
        redis.call('SET', scope, generation, 'EX', seconds)
    end
    return {generation, entry and redis.call('GET', entry) or false}
end
"""
"""A function for scripts: of two replicas that find no generation only one makes it."""

_LOOK_UP = f"""
{LOOK_UP}
return look_up(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
"""


@dataclass(slots=True)
class Lookup:
    """A cached response that is to be looked up, and what was found.

    Parameters
    ----------
    keys
        The generation's, and the text's if it is needed.
    """

    keys: Sequence[str]
    is_done: bool = False
    generation: str | None = None
    text: str | None = None

    def fill(self, reply: Sequence[str | None]) -> None:
        """Take over what a script's `look_up` returned."""
        self.generation, self.text = reply
        self.is_done = True


class Cache:
    """Texts by key. A Redis that is away is an empty cache, not an error."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        self._look_up = store.register_script(_LOOK_UP)

    async def put(self, key: str, value: str, *, seconds: int) -> None:
        """Keep a text for some seconds, or not at all if Redis is away."""
        try:
            async with self._store.reach() as redis:
                await redis.set(key, value, ex=seconds)
        except UnavailableError:
            return

    async def look_up(self, lookup: Lookup) -> None:
        """Find the generation, made if there is none, and the text; nothing while Redis is away."""
        try:
            async with self._store.reach():
                lookup.fill(await self._look_up(keys=lookup.keys, args=new_generation()))
        except UnavailableError:
            lookup.fill((None, None))

    async def renew_generations(self, scopes: Sequence[str]) -> bool:
        """Make everything that is cached in these scopes old; False if Redis is away.

        Tried even if Redis failed a moment ago: it would go on serving a change it missed.
        """
        try:
            async with self._store.reach(despite_pause=True) as redis:
                renewal = redis.pipeline()
                for scope in scopes:
                    renewal.set(scope, secrets.token_hex(8), ex=_GENERATION_SECONDS)
                await renewal.execute()
        except UnavailableError:
            return False
        return True


def new_generation() -> tuple[str, int]:
    """The last two arguments of a script's `look_up`."""
    return secrets.token_hex(8), _GENERATION_SECONDS
