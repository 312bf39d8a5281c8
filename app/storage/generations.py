"""Generations in Redis: what tells replicas that responses which they keep are old."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from app.constants import GENERATION_SECONDS
from app.exceptions import UnavailableError
from app.storage.redis_store import RedisStore

_UNCHANGED = ""


@dataclass(slots=True)
class Lookup:
    """The generation of a scope, which is to be read with whatever else a request needs of Redis.

    Parameters
    ----------
    generation
        None while Redis is away.
    """

    scope: str
    is_done: bool = False
    generation: str | None = None

    @property
    def key(self) -> str:
        return _key(self.scope)

    def fill(self, reply: str | None) -> None:
        """Take over what Redis has under the key."""
        self.generation = _UNCHANGED if reply is None else reply
        self.is_done = True


class Generations:
    """Generations by scope; a scope that has not changed lately has none in Redis.

    So reads leave nothing there, whatever they are of.
    """

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    async def look_up(self, lookup: Lookup) -> None:
        """Carry the lookup out; it finds nothing while Redis is away."""
        try:
            async with self._store.reach() as redis:
                lookup.fill(await redis.get(lookup.key))
        except UnavailableError:
            lookup.is_done = True

    async def renew(self, scopes: Sequence[str]) -> bool:
        """Make everything that is kept of these scopes old; False if Redis is away.

        Tried even if Redis was away a moment ago: it would go on telling of nothing new.
        """
        try:
            async with self._store.reach(even_if_away=True) as redis:
                renewal = redis.pipeline()
                for scope in scopes:
                    renewal.set(_key(scope), secrets.token_hex(8), ex=GENERATION_SECONDS)
                await renewal.execute()
        except UnavailableError:
            return False
        return True


def _key(scope: str) -> str:
    return f"cache:generation:{scope}"
