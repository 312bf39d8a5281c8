"""Requests without a pause, while something else happens: none may be lost."""

import asyncio
import ssl
import threading
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.support.production import DOMAIN

_TIMEOUT_SECONDS = 30
# Every third request may not be sent twice; the portal refuses it at rest as well.
_REQUESTS = (("GET", "/api/v1/entities", 200), ("GET", "/livez", 200), ("POST", "/livez", 405))


@dataclass
class Load:
    """Connections to the portal, a quarter of them new for each request.

    No library that hides a reset or sends a request twice: what happens to each is counted.
    """

    port: int
    tls: ssl.SSLContext
    connections: int = 8
    answered: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    def __enter__(self) -> Self:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    async def _run(self) -> None:
        await asyncio.gather(*(self._client(number) for number in range(self.connections)))

    async def _client(self, number: int) -> None:
        connection = Connection(self.port, self.tls)
        sent = 0
        while not self._stop.is_set():
            method, path, expected = _REQUESTS[sent % len(_REQUESTS)]
            sent += 1
            try:
                async with asyncio.timeout(_TIMEOUT_SECONDS):
                    status = await connection.ask(method, path, close=number % 4 == 0)
            except (OSError, EOFError, TimeoutError, ValueError) as error:
                self.failures[f"{method} {path}: {type(error).__name__}"] += 1
                connection.close()
                continue
            self.answered += status == expected
            if status != expected:
                self.failures[f"{method} {path}: {status}"] += 1
        connection.close()


class Connection:
    """One HTTP/1.1 connection over TLS, opened when it is needed.

    That the server has closed it between two requests is HTTP, and no failure; that it does so
    after a request was sent is one.
    """

    def __init__(self, port: int, tls: ssl.SSLContext) -> None:
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
                "127.0.0.1", self._port, ssl=self._tls, server_hostname=DOMAIN
            )
        return self._streams


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
