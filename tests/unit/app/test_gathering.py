"""Who asks while others are being answered is asked for together with all who wait."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import pytest

from app.storage.gathering import Gathering


class Store:
    """Answers in capitals, when it is let; remembers the questions."""

    def __init__(self) -> None:
        self.questions: list[list[str]] = []
        self.error: Exception | None = None
        self.let = asyncio.Event()
        self.let.set()

    async def ask(self, items: Sequence[str]) -> list[str | Exception]:
        self.questions.append(list(items))
        await self.let.wait()
        if self.error:
            raise self.error
        return [ValueError(item) if item == "bad" else item.upper() for item in items]


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 20))


async def ask_behind_a_slow_one(
    store: Store, gathering: Gathering[str, str], *items: str
) -> list[asyncio.Task[str]]:
    store.let.clear()
    first = asyncio.create_task(gathering.get("first"))
    while not store.questions:
        await asyncio.sleep(0)
    tasks = [asyncio.create_task(gathering.get(item)) for item in items]
    await asyncio.sleep(0)
    return [first, *tasks]


def test_all_who_wait_are_one_question() -> None:
    async def scenario() -> None:
        store = Store()
        tasks = await ask_behind_a_slow_one(store, Gathering(store.ask), "a", "b", "c")
        store.let.set()
        assert await asyncio.gather(*tasks) == ["FIRST", "A", "B", "C"]
        assert store.questions == [["first"], ["a", "b", "c"]]

    run(scenario())


def test_question_has_no_more_parts_than_it_may() -> None:
    async def scenario() -> None:
        store = Store()
        gathering = Gathering(store.ask, most=2)
        tasks = await ask_behind_a_slow_one(store, gathering, "a", "b", "c")
        store.let.set()
        await asyncio.gather(*tasks)
        assert store.questions == [["first"], ["a", "b"], ["c"]]

    run(scenario())


def test_whoever_asks_when_all_is_answered_starts_anew() -> None:
    async def scenario() -> None:
        store = Store()
        gathering = Gathering(store.ask)
        for _ in range(3):
            assert await gathering.get("a") == "A"
        assert store.questions == [["a"]] * 3

    run(scenario())


def test_error_of_a_part_is_of_that_part_alone() -> None:
    async def scenario() -> None:
        store = Store()
        tasks = await ask_behind_a_slow_one(store, Gathering(store.ask), "bad", "good")
        store.let.set()
        assert await tasks[2] == "GOOD"
        with pytest.raises(ValueError) as raised:
            await tasks[1]
        assert str(raised.value) == "bad"

    run(scenario())


def test_error_of_the_store_is_told_to_all_who_wait_by_then() -> None:
    async def scenario() -> None:
        store = Store()
        store.error = ConnectionError("away")
        tasks = await ask_behind_a_slow_one(store, Gathering(store.ask), "a", "b")
        store.let.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [str(error) for error in found] == ["away"] * 3
        assert store.questions == [["first"]]

    run(scenario())


def test_whoever_goes_away_takes_the_answer_from_nobody() -> None:
    async def scenario() -> None:
        store = Store()
        tasks = await ask_behind_a_slow_one(store, Gathering(store.ask), "a", "b")
        for task in tasks[:2]:
            task.cancel()
        store.let.set()
        assert await tasks[2] == "B"

    run(scenario())
