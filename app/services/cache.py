"""Cached responses that are up to date on every replica.

Each process keeps responses itself, and Redis tells which of them are old: each response belongs
to a scope, and each scope has a generation in Redis. A reader learns the generation before it
reads the database and files what it read under it; a writer gives the scope a new generation
after its commit and before its response. So what was read before a change is filed under a
generation that no reader uses any more, however late it is put there.

The generation is read from Redis every time; without Redis nothing is taken from the cache. If
Redis misses a change, the writer goes on announcing it for as long as responses are kept.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from cachetools import TTLCache

from app.constants import CACHE_SECONDS, GENERATION_SECONDS, MAX_CACHE_BYTES
from app.storage.generations import Generations, Lookup

_RETRY_SECONDS = 0.5
_ENTRY_BYTES = 500
"""Of a name, an ETag and the objects that hold them."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A response body and its ETag."""

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class _Entry:
    generation: str
    snapshot: Snapshot


class ReadCache:
    """Responses by name, loaded once for all requests that wait for the same one."""

    def __init__(self, generations: Generations) -> None:
        self._generations = generations
        self._changes = _Changes(generations)
        self._kept: TTLCache[str, _Entry] = TTLCache(
            MAX_CACHE_BYTES, CACHE_SECONDS, getsizeof=_size
        )
        self._flights: dict[tuple[str, str], asyncio.Task[Snapshot]] = {}

    def plan(self, scope: str) -> Lookup:
        """What `read` needs of Redis, for a caller that has to reach Redis anyway."""
        return Lookup(scope, is_done=not self._changes.are_known(scope))

    async def read(
        self,
        name: str,
        scope: str,
        load: Callable[[], Awaitable[Snapshot]],
        lookup: Lookup | None = None,
    ) -> Snapshot:
        """The response of that name, from `load` if it is not cached or its scope has changed.

        Parameters
        ----------
        lookup
            The plan for this scope, carried out or not.
        """
        lookup = lookup or self.plan(scope)
        if not lookup.is_done:
            await self._generations.look_up(lookup)
        generation = lookup.generation
        # A change that Redis missed may have come since the plan.
        if generation is None or not self._changes.are_known(scope):
            return await load()
        entry = self._kept.get(name)
        if entry is not None and entry.generation == generation:
            return entry.snapshot
        return await self._fly(name, generation, load)

    async def forget(self, *scopes: str) -> None:
        """Make all responses of these scopes old, on every replica."""
        await self._changes.announce(scopes)

    async def close(self) -> None:
        """End the announcement of changes."""
        await self._changes.close()

    async def _fly(
        self, name: str, generation: str, load: Callable[[], Awaitable[Snapshot]]
    ) -> Snapshot:
        flight = self._flights.get((name, generation))
        if flight is None:
            # A task of its own: the first request may be cancelled while others still wait.
            flight = asyncio.create_task(self._fetch(name, generation, load))
            self._flights[name, generation] = flight
            flight.add_done_callback(lambda _: self._flights.pop((name, generation)))
        return await asyncio.shield(flight)

    async def _fetch(
        self, name: str, generation: str, load: Callable[[], Awaitable[Snapshot]]
    ) -> Snapshot:
        snapshot = await load()
        # One that is larger than the whole cache is refused.
        with suppress(ValueError):
            self._kept[name] = _Entry(generation, snapshot)
        return snapshot


class _Changes:
    """Announces changes, and goes on announcing those that Redis missed."""

    def __init__(self, generations: Generations) -> None:
        self._generations = generations
        self._unheard: dict[str, float] = {}
        self._telling: asyncio.Task[None] | None = None

    def are_known(self, scope: str) -> bool:
        """Whether Redis has heard of every change in this scope."""
        return self._unheard.get(scope, 0) <= time.monotonic()

    async def announce(self, scopes: tuple[str, ...]) -> None:
        """Give the scopes new generations, now or as soon as Redis is back."""
        if await self._generations.renew(scopes):
            return
        # What was read before the change has expired by then.
        self._unheard |= dict.fromkeys(scopes, time.monotonic() + GENERATION_SECONDS)
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell())

    async def close(self) -> None:
        if self._telling is not None:
            self._telling.cancel()

    async def _tell(self) -> None:
        while self._unheard:
            await asyncio.sleep(_RETRY_SECONDS)
            told = dict(self._unheard)
            heard = await self._generations.renew([*told])
            for scope, until in told.items():
                # Another change that Redis missed in the meantime has moved the end.
                if self._unheard[scope] == until and (heard or until < time.monotonic()):
                    del self._unheard[scope]
        self._telling = None


def _size(entry: _Entry) -> int:
    return len(entry.snapshot.body) + _ENTRY_BYTES
