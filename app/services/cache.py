"""Cached responses that are up to date on every replica.

Each response belongs to a scope, and each scope has a generation in Redis. A reader learns the
generation before it reads the database and files what it read under it; a writer gives the scope
a new generation after its commit and before its response. So what was read before a change is
filed under a generation that no reader uses any more, however late it is put there.

A process also keeps responses itself, but reads the generation from Redis every time. Without
Redis nothing is taken from a cache. If Redis misses a change, the writer goes on announcing
it for as long as responses are kept.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.constants import CACHE_SECONDS, LOCAL_CACHE_ENTRIES
from app.storage.cache import Cache, Lookup

_RETRY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A response body and its ETag."""

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class _Entry:
    generation: str
    expires: float
    snapshot: Snapshot

    def is_good(self, generation: str) -> bool:
        return self.generation == generation and self.expires > time.time()


class ReadCache:
    """Responses by name, loaded once for all requests that wait for the same one."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._generations = _Generations(cache)
        self._local: OrderedDict[str, _Entry] = OrderedDict()
        self._flights: dict[tuple[str, str], asyncio.Task[Snapshot]] = {}

    def plan(self, name: str, scope: str) -> Lookup:
        """What `read` needs of Redis, for a caller that has to reach Redis anyway."""
        if not self._generations.are_known(scope):
            return Lookup((), is_done=True)
        kept = self._local.get(name)
        if kept and kept.expires > time.time():
            return Lookup((_scope(scope),))
        # What this process lacks, another one may have left in Redis.
        return Lookup((_scope(scope), _key(name)))

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
            The plan for this response, carried out or not.
        """
        lookup = lookup or self.plan(name, scope)
        if not lookup.is_done:
            await self._cache.look_up(lookup)
        generation, text = lookup.generation, lookup.text
        # A change that Redis missed may have come since the plan.
        if generation is None or not self._generations.are_known(scope):
            return await load()
        entry = self._local.get(name)
        if entry and entry.is_good(generation):
            self._local.move_to_end(name)
            return entry.snapshot
        return await self._fly(name, generation, text, load)

    async def forget(self, *scopes: str) -> None:
        """Make all responses of these scopes old, on every replica."""
        await self._generations.renew(scopes)

    async def close(self) -> None:
        """End the announcement of changes."""
        await self._generations.close()

    async def _fly(
        self, name: str, generation: str, text: str | None, load: Callable[[], Awaitable[Snapshot]]
    ) -> Snapshot:
        flight = self._flights.get((name, generation))
        if flight is None:
            # A task of its own: the first request may be cancelled while others still wait.
            flight = asyncio.create_task(self._fetch(name, generation, text, load))
            self._flights[name, generation] = flight
            flight.add_done_callback(lambda _: self._flights.pop((name, generation)))
        return await asyncio.shield(flight)

    async def _fetch(
        self, name: str, generation: str, text: str | None, load: Callable[[], Awaitable[Snapshot]]
    ) -> Snapshot:
        entry = _parse(text)
        if entry is None or not entry.is_good(generation):
            entry = _Entry(generation, time.time() + CACHE_SECONDS, await load())
            await self._cache.put(_key(name), _format(entry), seconds=CACHE_SECONDS)
        self._local[name] = entry
        self._local.move_to_end(name)
        if len(self._local) > LOCAL_CACHE_ENTRIES:
            self._local.popitem(last=False)
        return entry.snapshot


class _Generations:
    """Reads generations, and goes on announcing changes that Redis missed."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._unheard: dict[str, float] = {}
        self._telling: asyncio.Task[None] | None = None

    def are_known(self, scope: str) -> bool:
        """Whether Redis has heard of every change in this scope."""
        return self._unheard.get(scope, 0) <= time.monotonic()

    async def renew(self, scopes: tuple[str, ...]) -> None:
        """Give the scopes new generations, now or as soon as Redis is back."""
        if await self._cache.renew_generations([*map(_scope, scopes)]):
            return
        # What was read before the change has expired by then.
        self._unheard |= dict.fromkeys(scopes, time.monotonic() + CACHE_SECONDS)
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell())

    async def close(self) -> None:
        if self._telling is not None:
            self._telling.cancel()

    async def _tell(self) -> None:
        while self._unheard:
            await asyncio.sleep(_RETRY_SECONDS)
            told = dict(self._unheard)
            heard = await self._cache.renew_generations([*map(_scope, told)])
            for scope, until in told.items():
                # Another change that Redis missed in the meantime has moved the end.
                if self._unheard[scope] == until and (heard or until < time.monotonic()):
                    del self._unheard[scope]
        self._telling = None


def _key(name: str) -> str:
    return f"cache:answer:{name}"


def _scope(name: str) -> str:
    return f"cache:generation:{name}"


def _format(entry: _Entry) -> str:
    head = f"{entry.generation} {entry.expires} {entry.snapshot.etag}"
    return f"{head}\n{entry.snapshot.body.decode()}"


def _parse(text: str | None) -> _Entry | None:
    head, _, body = (text or "").partition("\n")
    match head.split(" "):
        case [generation, expires, etag]:
            return _Entry(generation, float(expires), Snapshot(body.encode(), etag))
        case _:
            return None
