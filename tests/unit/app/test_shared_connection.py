"""Questions to Redis over one connection: who gets which answer, and what happens without one."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import hiredis
import pytest
from redis.exceptions import ConnectionError, ResponseError, TimeoutError

from app.storage.shared_connection import SharedConnection

_HANDSHAKE = {"HELLO", "CLIENT", "SELECT"}


class Server:
    """Repeats what ECHO says, refuses everything else; can be silent, and can hang up.

    `reads` has, for each time that something arrived, the commands that it was.
    """

    def __init__(self) -> None:
        self.reads: list[list[list[str]]] = []
        self.connections: list[asyncio.StreamWriter] = []
        self.is_silent = False
        self.hangs_up = False
        self.listens = asyncio.Event()
        self.listens.set()

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        self._server.close()
        self.hang_up()
        await self._server.wait_closed()

    def hang_up(self) -> None:
        for connection in self.connections:
            connection.close()

    @property
    def handshake(self) -> list[list[str]]:
        return [one for read in self.reads for one in read if one[0] in _HANDSHAKE]

    @property
    def questions(self) -> list[list[list[str]]]:
        return [read for read in self.reads if read[0][0] not in _HANDSHAKE]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        parser = hiredis.Reader(encoding="utf-8")
        with suppress(OSError):
            while (received := await reader.read(65536)) and not self.hangs_up:
                await self.listens.wait()
                parser.feed(received)
                commands = list(iter(parser.gets, False))
                self.reads.append(commands)
                if not self.is_silent:
                    writer.write(b"".join(map(_answer, commands)))
        writer.close()


def _answer(command: list[str]) -> bytes:
    match command:
        case ["ECHO", said]:
            return b"$%d\r\n%s\r\n" % (len(said.encode()), said.encode())
        case ["HELLO", *_]:
            return b"%1\r\n$5\r\nproto\r\n:3\r\n"
        case [name, *_] if name in _HANDSHAKE:
            return b"+OK\r\n"
        case _:
            return b"-ERR unknown\r\n"


def run(
    scenario: Callable[[Server, SharedConnection], Awaitable[None]],
    *,
    timeout_seconds: float = 10,
    login: str = "",
) -> None:
    async def play() -> None:
        server = Server()
        url = f"redis://{login}127.0.0.1:{await server.start()}/0"
        redis = SharedConnection(url, timeout_seconds=timeout_seconds)
        try:
            await scenario(server, redis)
        finally:
            await redis.close()
            await server.stop()

    asyncio.run(asyncio.wait_for(play(), 20))


async def echo(redis: SharedConnection, *texts: str) -> list[Any]:
    return await redis.ask(*(("ECHO", text) for text in texts))


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def test_each_question_gets_its_own_answers() -> None:
    async def scenario(_: Server, redis: SharedConnection) -> None:
        questions = [("a",), ("b", "c"), ("d\r\n", "é", "")]
        found = await asyncio.gather(*(echo(redis, *texts) for texts in questions))
        assert found == [["a"], ["b", "c"], ["d\r\n", "é", ""]]

    run(scenario)


def test_questions_of_one_turn_leave_together() -> None:
    async def scenario(server: Server, redis: SharedConnection) -> None:
        await echo(redis, "first")
        await asyncio.gather(*(echo(redis, str(number)) for number in range(50)))
        assert server.questions == [
            [["ECHO", "first"]],
            [["ECHO", str(number)] for number in range(50)],
        ]
        assert len(server.connections) == 1

    run(scenario)


def test_name_and_password_are_those_of_the_address() -> None:
    async def scenario(server: Server, redis: SharedConnection) -> None:
        await echo(redis, "a")
        assert server.handshake[0] == ["HELLO", "3", "AUTH", "portal", "pass word"]

    run(scenario, login="portal:pass%20word@")


def test_refused_command_is_an_error_of_its_question_alone() -> None:
    async def scenario(_: Server, redis: SharedConnection) -> None:
        found = await asyncio.gather(
            echo(redis, "before"),
            redis.ask(("ECHO", "a"), ("MISTAKE",), ("ECHO", "b")),
            echo(redis, "behind"),
            return_exceptions=True,
        )
        assert [found[0], found[2]] == [["before"], ["behind"]]
        assert isinstance(found[1], ResponseError)
        assert str(found[1]) == "unknown"

    run(scenario)


def test_what_cannot_be_sent_is_an_error_of_its_question_alone() -> None:
    async def scenario(server: Server, redis: SharedConnection) -> None:
        found = await asyncio.gather(
            echo(redis, "before"),
            # As JSON can have it, and UTF-8 cannot.
            echo(redis, "half a pair: \ud800"),
            echo(redis, "behind"),
            return_exceptions=True,
        )
        assert [found[0], found[2]] == [["before"], ["behind"]]
        assert isinstance(found[1], UnicodeEncodeError)
        assert len(server.connections) == 1

    run(scenario)


def test_whoever_goes_away_takes_the_answer_from_nobody() -> None:
    async def scenario(server: Server, redis: SharedConnection) -> None:
        await echo(redis, "first")
        tasks = [asyncio.create_task(echo(redis, text)) for text in "abc"]
        await asyncio.sleep(0)
        # It would have sent the questions of all three.
        tasks[0].cancel()
        assert await tasks[1] == ["b"]
        assert await tasks[2] == ["c"]
        assert len(server.connections) == 1

    run(scenario)


def test_all_who_wait_are_told_of_a_lost_connection_and_the_next_one_connects() -> None:
    async def scenario(server: Server, redis: SharedConnection) -> None:
        await echo(redis, "first")
        server.is_silent = True
        tasks = [asyncio.create_task(echo(redis, text)) for text in "ab"]
        await until(lambda: len(server.questions) == 2)
        server.hang_up()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(error) for error in found] == [ConnectionError] * 2
        server.is_silent = False
        assert await echo(redis, "again") == ["again"]
        assert len(server.connections) == 2

    run(scenario)


def test_connection_that_was_lost_in_silence_costs_no_question() -> None:
    async def scenario(server: Server, redis: SharedConnection) -> None:
        await echo(redis, "first")
        server.hang_up()
        await until(lambda: len(asyncio.all_tasks()) == 2)
        assert await echo(redis, "again") == ["again"]

    run(scenario)


def test_silence_is_an_error_in_time_and_the_next_question_connects_anew() -> None:
    async def scenario(server: Server, redis: SharedConnection) -> None:
        await echo(redis, "first")
        server.is_silent = True
        found = await asyncio.gather(*(echo(redis, text) for text in "ab"), return_exceptions=True)
        assert [type(error) for error in found] == [TimeoutError] * 2
        server.is_silent = False
        assert await echo(redis, "again") == ["again"]
        assert len(server.connections) == 2

    run(scenario, timeout_seconds=0.1)


def test_server_that_takes_nothing_is_an_error_in_time() -> None:
    async def scenario(server: Server, redis: SharedConnection) -> None:
        await echo(redis, "first")
        server.listens.clear()
        large = "x" * 20_000_000
        found = await asyncio.gather(
            *(echo(redis, large) for _ in range(2)), echo(redis, "small"), return_exceptions=True
        )
        assert [type(error) for error in found] == [TimeoutError] * 3
        server.listens.set()
        assert await echo(redis, "again") == ["again"]

    run(scenario, timeout_seconds=0.5)


def test_server_that_says_nothing_at_the_log_in_is_an_error_in_time() -> None:
    async def scenario(server: Server, redis: SharedConnection) -> None:
        server.is_silent = True
        with pytest.raises(TimeoutError) as raised:
            await echo(redis, "a")
        assert str(raised.value) == "no connection in time"

    run(scenario, timeout_seconds=0.1)


def test_server_that_is_away_is_tried_once_for_all_who_ask() -> None:
    async def scenario(server: Server, redis: SharedConnection) -> None:
        server.hangs_up = True
        found = await asyncio.gather(*(echo(redis, text) for text in "abc"), return_exceptions=True)
        assert [type(error) for error in found] == [ConnectionError] * 3
        assert len(server.connections) == 1
        server.hangs_up = False
        assert await echo(redis, "again") == ["again"]

    run(scenario)


def test_what_is_asked_together_is_one_transaction() -> None:
    async def scenario(server: Server, redis: SharedConnection) -> None:
        with pytest.raises(ResponseError):
            await redis.ask_together(("ECHO", "a"), ("ECHO", "b"))
        assert server.questions == [[["MULTI"], ["ECHO", "a"], ["ECHO", "b"], ["EXEC"]]]

    run(scenario)


def test_answer_that_nobody_asked_for_ends_the_connection() -> None:
    async def scenario(server: Server, redis: SharedConnection) -> None:
        await echo(redis, "first")
        server.connections[0].write(b"+SURPRISE\r\n")
        await until(lambda: server.connections[0].is_closing())
        assert await echo(redis, "again") == ["again"]
        assert len(server.connections) == 2

    run(scenario)


def test_who_waits_is_told_when_it_is_closed() -> None:
    async def scenario(server: Server, redis: SharedConnection) -> None:
        await echo(redis, "first")
        server.is_silent = True
        waiting = asyncio.create_task(echo(redis, "a"))
        await until(lambda: len(server.questions) == 2)
        await redis.close()
        with pytest.raises(ConnectionError) as raised:
            await waiting
        assert str(raised.value) == "the connection was closed"

    run(scenario)
