"""Requests without a pause, while something else happens: none may be lost."""

import asyncio
import itertools
import ssl
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from benchmarks.harness.background import Background

DOMAIN = "devportal.localhost"
"""The name that production stacks of tests and benchmarks are reached by."""
_TIMEOUT_SECONDS = 30
_GOAL_SECONDS = 120


class Request(NamedTuple):
    """One request, and its status when nothing else happens."""

    method: str
    path: str
    expected: int


def _mix(_client: int) -> Iterator[Request]:
    # Every third request must not be sent twice; the portal always refuses it.
    return itertools.cycle(
        (
            Request("GET", "/livez", 200),
            Request("GET", "/livez", 200),
            Request("POST", "/livez", 405),
        )
    )


@dataclass
class Load(Background):
    """Connections to the portal, some of them new for each request.

    It uses no library that hides a reset or sends a request twice: every failure is counted.

    Parameters
    ----------
    fresh_every
        One client of this many opens a connection for each request.
    requests
        The endless requests of the client with that number.
    goal
        Responses that `wait_for_goal` waits for.
    seconds
        Duration of each request with the expected status, including a new connection.
    address
        Where the portal is.
    pause_seconds
        Of each client between two requests, where the machine has more to do.
    """

    port: int
    tls: ssl.SSLContext
    connections: int = 8
    fresh_every: int = 4
    requests: Callable[[int], Iterator[Request]] = _mix
    goal: int = 100
    seconds: list[float] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    """Paths of the requests whose answer was 201."""
    failures: Counter[str] = field(default_factory=Counter)
    address: str = "127.0.0.1"
    pause_seconds: float = 0
    _reached: threading.Event = field(default_factory=threading.Event, init=False)

    @property
    def answered(self) -> int:
        return len(self.seconds)

    @property
    def failed(self) -> int:
        return self.failures.total()

    def work(self) -> Iterable[Callable[[], None]]:
        return [lambda: asyncio.run(self._run())]

    def wait_for_goal(self) -> None:
        """Return when the goal is reached.

        Raises
        ------
        TimeoutError
            Raised when it was not within two minutes.
        """
        if not self._reached.wait(_GOAL_SECONDS):
            raise TimeoutError(
                f"load: {self.goal} requests should be answered within {_GOAL_SECONDS} s "
                f"(got {self.answered}, and {dict(self.failures)})."
            )

    async def _run(self) -> None:
        await asyncio.gather(*(self._client(number) for number in range(self.connections)))

    async def _client(self, number: int) -> None:
        connection = Connection(self.address, self.port, self.tls)
        requests = self.requests(number)
        while not self.ended.is_set():
            await self._send(connection, next(requests), close=number % self.fresh_every == 0)
            await asyncio.sleep(self.pause_seconds)
        connection.close()

    async def _send(self, connection: "Connection", request: Request, *, close: bool) -> None:
        method, path, expected = request
        started = time.perf_counter()
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                status = await connection.ask(method, path, close=close)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            self._fail(request, type(error).__name__)
            connection.close()
            return
        if status != expected:
            self._fail(request, str(status))
            return
        self.seconds.append(time.perf_counter() - started)
        if self.answered >= self.goal:
            self._reached.set()
        if status == 201:
            self.accepted.append(path)

    def _fail(self, request: Request, reason: str) -> None:
        # Without its last part, which may be another for each request.
        self.failures[f"{request.method} {request.path.rpartition('/')[0]}/: {reason}"] += 1


class Connection:
    """One HTTP/1.1 connection over TLS, opened when it is needed.

    That the server has closed it between two requests is HTTP, and no failure; that it does so
    after a request was sent is one.
    """

    def __init__(self, address: str, port: int, tls: ssl.SSLContext) -> None:
        self._address = address
        self._port = port
        self._tls = tls
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, *, close: bool) -> int:
        """The status of the answer, which is read to its end."""
        reader, writer = await self._open()
        header = "close" if close else "keep-alive"
        writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: {DOMAIN}\r\nContent-Length: 0\r\n"
            f"Connection: {header}\r\n\r\n".encode()
        )
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await _read_body(reader, head)
        if "connection: close" in head:
            self.close()
        return int(head.split(maxsplit=2)[1])

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None and self._streams[0].at_eof():
            self.close()
        if self._streams is None:
            self._streams = await asyncio.open_connection(
                self._address, self._port, ssl=self._tls, server_hostname=DOMAIN
            )
        return self._streams


def p99_ms(seconds: list[float]) -> float:
    """The longest that one of a hundred takes at least."""
    return statistics.quantiles(seconds, n=100)[98] * 1000


async def _read_body(reader: asyncio.StreamReader, head: str) -> None:
    if "transfer-encoding: chunked" in head:
        size = -1
        while size != 0:
            size = int(await reader.readline(), 16)
            await reader.readexactly(size + 2)
        return
    length = next(
        (line[15:] for line in head.split("\r\n") if line.startswith("content-length:")), "0"
    )
    await reader.readexactly(int(length))
