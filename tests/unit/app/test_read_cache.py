"""The cache is right whatever overtakes what, and never asks twice for the same."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from app.services import cache as module
from app.services.cache import ReadCache, Snapshot
from app.storage.generations import Lookup


class FakeGenerations:
    """What both replicas share."""

    def __init__(self) -> None:
        self.away = False
        self.found: dict[str, str] = {}

    async def look_up(self, lookup: Lookup) -> None:
        await asyncio.sleep(0)
        if self.away:
            lookup.is_done = True
        else:
            lookup.fill(self.found.get(lookup.scope))

    async def renew(self, scopes: Sequence[str]) -> bool:
        if not self.away:
            self.found |= {scope: f"{self.found.get(scope)}'" for scope in scopes}
        return not self.away


class Source:
    """A database of one value; a reader can be held between its reading and its answer."""

    def __init__(self) -> None:
        self.value = "old"
        self.reads = 0
        self.hold = asyncio.Event()
        self.hold.set()

    async def load(self) -> Snapshot:
        self.reads += 1
        found = self.value
        await self.hold.wait()
        return Snapshot(found.encode(), f'"{found}"')


class Portal:
    """Two replicas over one Redis and one database."""

    def __init__(self) -> None:
        self.redis: Any = FakeGenerations()
        self.source = Source()
        self.replicas = [ReadCache(self.redis), ReadCache(self.redis)]

    async def read(self, replica: int = 0) -> str:
        return (await self.replicas[replica].read("name", "scope", self.source.load)).body.decode()

    async def write(self, value: str) -> None:
        self.source.value = value
        await self.replicas[0].forget("scope")

    async def begin(self, replica: int = 0) -> "asyncio.Task[str]":
        """A reader that has read the database and is held before it answers."""
        before = self.source.reads
        self.source.hold.clear()
        reader = asyncio.create_task(self.read(replica))
        await until(lambda: self.source.reads > before)
        return reader


async def until(is_true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_true():
            await asyncio.sleep(0)


@pytest.fixture
def portal() -> Portal:
    return Portal()


async def test_answer_is_loaded_once_by_each_replica_and_leaves_nothing_in_redis(
    portal: Portal,
) -> None:
    assert [await portal.read(number) for number in (0, 0, 1, 1)] == ["old"] * 4
    assert portal.source.reads == 2
    assert portal.redis.found == {}


async def test_answers_are_kept_up_to_a_size_those_of_longest_ago_go_first(
    portal: Portal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_CACHE_BYTES", 25_000)
    cache, loaded = ReadCache(portal.redis), Counter[str]()

    async def read(name: str, size: int = 10_000) -> None:
        async def load() -> Snapshot:
            loaded[name] += 1
            return Snapshot(b"x" * size, '"tag"')

        await cache.read(name, "scope", load)

    for name in ("first", "second", "first", "third", "first", "second"):
        await read(name)
    for _ in range(2):
        await read("larger than all of it", 25_000)
    await read("second")
    assert loaded == {"first": 1, "second": 2, "third": 1, "larger than all of it": 2}


async def test_change_shows_on_every_replica_at_once(portal: Portal) -> None:
    for replica in (0, 1):
        await portal.read(replica)
    await portal.write("new")
    assert [await portal.read(0), await portal.read(1)] == ["new", "new"]


async def test_reader_that_is_overtaken_by_a_writer_leaves_nothing_old_behind(
    portal: Portal,
) -> None:
    slow = await portal.begin(1)
    await portal.write("new")
    portal.source.hold.set()
    # It began before the change was answered, so it may tell either.
    assert await slow == "old"
    assert [await portal.read(0), await portal.read(1)] == ["new", "new"]


async def test_those_who_ask_after_a_change_do_not_join_those_who_asked_before(
    portal: Portal,
) -> None:
    before = await portal.begin()
    await portal.write("new")
    after = await portal.begin()
    portal.source.hold.set()
    assert [await before, await after] == ["old", "new"]


async def test_many_who_ask_at_a_time_are_one_question_to_the_database(portal: Portal) -> None:
    assert await asyncio.gather(*(portal.read() for _ in range(64))) == ["old"] * 64
    assert portal.source.reads == 1


async def test_first_one_who_goes_away_takes_the_answer_from_nobody(portal: Portal) -> None:
    portal.source.hold.clear()
    first, second = (asyncio.create_task(portal.read()) for _ in range(2))
    await until(lambda: portal.source.reads > 0)
    first.cancel()
    portal.source.hold.set()
    assert await second == "old"
    assert portal.source.reads == 1


async def test_error_is_not_kept(portal: Portal) -> None:
    async def fail() -> Snapshot:
        raise RuntimeError

    for _ in range(2):
        with pytest.raises(RuntimeError):
            await portal.replicas[0].read("name", "scope", fail)
    assert await portal.read() == "old"


async def test_without_redis_every_read_is_of_the_database(portal: Portal) -> None:
    await portal.read()
    portal.redis.away = True
    portal.source.value = "new"
    assert await portal.read() == "new"


async def test_change_that_redis_did_not_hear_of_is_told_when_it_is_back(
    portal: Portal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_RETRY_SECONDS", 0.01)
    for replica in (0, 1):
        await portal.read(replica)
    portal.redis.away = True
    await portal.write("new")
    portal.redis.away = False
    # The replica that wrote knows at once, the other one when the change is announced to it.
    assert await portal.read(0) == "new"
    async with asyncio.timeout(20):
        while await portal.read(1) != "new":
            await asyncio.sleep(0.01)


async def test_answer_dies_of_age_where_nobody_could_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CACHE_SECONDS", 0.05)
    portal = Portal()
    await portal.read(1)
    portal.source.value = "new, by a process that died before it could tell"
    async with asyncio.timeout(20):
        while await portal.read(1) == "old":
            await asyncio.sleep(0.01)
