"""What many ask for at a time goes to a store at one go: a question costs more than its parts."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Gathering(Generic[Item, Answer]):
    """Gathers items while earlier ones are being answered, then asks for all of them.

    The error of a question is everybody's who waits by then: nobody has to find out anew that a
    store is away.

    Parameters
    ----------
    ask
        Answers for items, in their order; an exception among them is for that one alone.
    most
        Items of one question.
    """

    def __init__(
        self,
        ask: Callable[[Sequence[Item]], Awaitable[Sequence[Answer | Exception]]],
        *,
        most: int = 100,
    ) -> None:
        self._ask = ask
        self._most = most
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._running: asyncio.Task[None] | None = None

    async def get(self, item: Item) -> Answer:
        """The answer for an item; raises what asking for it raised."""
        waiter: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, waiter))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await waiter

    async def _run(self) -> None:
        """Ask as long as somebody waits."""
        try:
            while self._waiting:
                await self._ask_next()
        finally:
            # Not a moment later: who comes then starts another.
            self._running = None

    async def _ask_next(self) -> None:
        batch = self._waiting[: self._most]
        del self._waiting[: self._most]
        try:
            answers = await self._ask([item for item, _ in batch])
        except Exception as error:
            batch += self._waiting
            self._waiting.clear()
            answers = [error] * len(batch)
        for (_, waiter), answer in zip(batch, answers, strict=True):
            _settle(waiter, answer)


def _settle(waiter: asyncio.Future[Any], answer: object) -> None:
    if waiter.done():
        # Whoever asked has gone away.
        return
    if isinstance(answer, Exception):
        waiter.set_exception(answer)
    else:
        waiter.set_result(answer)
