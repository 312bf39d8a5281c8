"""One connection to Redis for the questions of all requests.

A pool lends each question a connection of its own, and that costs more than the question. Here
those that were asked in one turn of the event loop leave together, and Redis answers in the order
of asking. Connecting, TLS, logging in and the protocol are the driver's.
"""

import asyncio
import builtins
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import hiredis
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError, ResponseError, TimeoutError

Command = tuple[str | int | float, ...]


# Its types know commands of one word alone.
_pack = cast("Callable[[Command], bytes]", hiredis.pack_command)


class SharedConnection:
    """Connects when it is first asked, and again when the connection was lost.

    Parameters
    ----------
    timeout_seconds
        Time to connect, and time for an answer; then all who wait are told, and it connects anew.
    """

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        self._pool = ConnectionPool.from_url(
            url,
            decode_responses=True,
            protocol=3,
            # Times are kept here: the driver's own cost a task for each question.
            socket_timeout=None,
            retry=Retry(NoBackoff(), 0),
        )
        self._timeout_seconds = timeout_seconds
        self._line: _Line | None = None
        self._opening: asyncio.Task[_Line] | None = None

    async def ask(self, *commands: Command) -> list[Any]:
        """What Redis answers to each; no other question's command comes between them.

        Raises
        ------
        ConnectionError, TimeoutError
            Raised when there is no connection, or no answer in time; the driver's, not Python's.
        ResponseError
            Raised when Redis refuses one of them, once it has answered to all.
        """
        line = self._line
        if line is None or line.is_lost:
            line = await self._open_once()
        return await line.ask(commands)

    async def ask_together(self, *commands: Command) -> list[Any]:
        """As `ask`, with all of them carried out or none."""
        *_, answers = await self.ask(("MULTI",), *commands, ("EXEC",))
        for error in (answer for answer in answers if isinstance(answer, Exception)):
            raise error
        return answers

    async def close(self) -> None:
        """End the connection."""
        if self._opening is not None:
            self._opening.cancel()
        if self._line is not None:
            self._line.close()

    async def _open_once(self) -> "_Line":
        """A new connection, of one attempt for all who need it."""
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(self._settle)
        return await asyncio.shield(self._opening)

    async def _open(self) -> "_Line":
        connection = self._pool.make_connection()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await connection.connect()
        except BaseException as error:
            await connection.disconnect(nowait=True)
            if isinstance(error, builtins.TimeoutError):
                raise TimeoutError("no connection in time") from error
            raise
        return _Line(connection, self._timeout_seconds)

    def _settle(self, opening: "asyncio.Task[_Line]") -> None:
        self._opening = None
        # Who asked for it may have gone away: looking at its error here keeps it from being logged.
        if not opening.cancelled() and opening.exception() is None:
            self._line = opening.result()


@dataclass(slots=True, eq=False)
class _Question:
    parts: int
    asked_at: float
    waiter: asyncio.Future[list[Any]]
    answers: list[Any] = field(default_factory=list)

    def take(self, answer: Any) -> bool:
        """Take the answer to the next command; whether it was the last one."""
        self.answers.append(answer)
        if len(self.answers) < self.parts:
            return False
        if not self.waiter.done():
            error = next((one for one in self.answers if isinstance(one, Exception)), None)
            if error is None:
                self.waiter.set_result(self.answers)
            else:
                self.waiter.set_exception(error)
        return True


class _Line:
    """An open connection, until it is lost; what was asked by then is lost with it."""

    def __init__(self, connection: AbstractConnection, timeout_seconds: float) -> None:
        self._connection = connection
        self._timeout_seconds = timeout_seconds
        self._loop = asyncio.get_running_loop()
        self._unsent: list[bytes] = []
        self._unanswered: deque[_Question] = deque()
        self._asked = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks = {asyncio.create_task(self._read()), asyncio.create_task(self._write())}
        self.is_lost = False

    async def ask(self, commands: Sequence[Command]) -> list[Any]:
        if self.is_lost:
            raise ConnectionError("the connection is lost")
        # What cannot be sent is the error of this question, not of those that would leave with it.
        packed = [_pack(command) for command in commands]
        question = _Question(len(commands), self._loop.time(), self._loop.create_future())
        self._unanswered.append(question)
        self._unsent += packed
        self._asked.set()
        if self._timer is None:
            self._timer = self._loop.call_later(self._timeout_seconds, self._look_for_silence)
        return await question.waiter

    def close(self, error: Exception | None = None) -> None:
        """End the connection, and tell everybody who waits why."""
        error = error or ConnectionError("the connection was closed")
        if not isinstance(error, RedisError):
            error = ConnectionError(f"{type(error).__name__}: {error}")
        self.is_lost = True
        # Whichever of the two comes here itself has something to end yet.
        for task in self._tasks - {asyncio.current_task()}:
            task.cancel()
        for question in self._unanswered:
            if not question.waiter.done():
                question.waiter.set_exception(error)
        self._unanswered.clear()

    async def _write(self) -> None:
        try:
            while await self._asked.wait():
                self._asked.clear()
                packed, self._unsent = self._unsent, []
                await self._connection.send_packed_command(packed, check_health=False)
        except Exception as error:
            self.close(error)

    async def _read(self) -> None:
        try:
            while True:
                answer = await self._next_answer()
                if self._unanswered[0].take(answer):
                    self._unanswered.popleft()
        except Exception as error:
            self.close(error)
        finally:
            await self._connection.disconnect(nowait=True)

    async def _next_answer(self) -> Any:
        try:
            return await self._connection.read_response(disconnect_on_error=False)
        except ResponseError as error:
            return error

    def _look_for_silence(self) -> None:
        """Give the connection up if the oldest question got no answer in time."""
        self._timer = None
        if not self._unanswered:
            return
        left = self._unanswered[0].asked_at + self._timeout_seconds - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look_for_silence)
        else:
            self.close(TimeoutError("no answer in time"))
