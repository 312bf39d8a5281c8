"""Requests that take long, in each way that a request can, and uploads that never end."""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import httpx
from websockets.asyncio.client import connect

from benchmarks.harness.portal_stack import PortalStack
from benchmarks.harness.production import DOMAIN, trust

_SECONDS = 10


async def send_until(done: asyncio.Future[Any], port: int, tls: ssl.SSLContext) -> int:
    """Begin one of each kind every two seconds until `done`; their number, when all have ended.

    Raises
    ------
    AssertionError
        Raised when one of them did not end as it should.
    """
    async with (
        httpx.AsyncClient(base_url=f"https://127.0.0.1:{port}", verify=tls, timeout=60) as client,
        asyncio.TaskGroup() as running,
    ):
        begun = 0
        while not done.done():
            running.create_task(_wait(client))
            running.create_task(_read(client, "stream", "text/plain"))
            running.create_task(_read(client, "events", "text/event-stream"))
            running.create_task(_talk(port, tls))
            begun += 4
            await asyncio.wait([done], timeout=2)
    return begun


async def _wait(client: httpx.AsyncClient) -> None:
    answer = await client.get(
        f"/probe/slow/{_SECONDS}",
        headers={"Host": DOMAIN},
        extensions={"sni_hostname": DOMAIN},
    )
    assert (answer.status_code, answer.text) == (200, "end\n")


async def _read(client: httpx.AsyncClient, kind: str, media_type: str) -> None:
    """What is told each second also arrives each second, not all of it at the end."""
    request = client.build_request(
        "GET",
        f"/probe/{kind}/{_SECONDS}",
        headers={"Host": DOMAIN, "Accept": media_type},
        extensions={"sni_hostname": DOMAIN},
    )
    answer = await client.send(request, stream=True)
    arrived = [(time.monotonic(), line) async for line in answer.aiter_lines() if line]
    assert answer.status_code == 200, kind
    assert [line.removeprefix("data: ") for _, line in arrived] == [
        *map(str, range(_SECONDS)),
        "end",
    ]
    assert arrived[-1][0] - arrived[0][0] > _SECONDS / 2, kind


async def _talk(port: int, tls: ssl.SSLContext) -> None:
    address = f"wss://{DOMAIN}/probe/echo"
    # By address, as nothing has to resolve the name.
    async with connect(address, host="127.0.0.1", port=port, ssl=tls) as socket:
        for number in range(_SECONDS):
            await socket.send(str(number))
            assert await socket.recv() == str(number)
            await asyncio.sleep(1)


async def upload_until(is_late: Callable[[], bool], port: int, tls: ssl.SSLContext) -> bytes:
    """Send a request byte by byte until it is late; the first line of the answer."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=tls, server_hostname=DOMAIN
    )
    head = f"POST /livez HTTP/1.1\r\nHost: {DOMAIN}\r\nContent-Length: 1000\r\n\r\n"
    writer.write(head.encode())
    sent = 0
    while sent < 999 and not is_late():
        writer.write(b"x")
        await writer.drain()
        sent += 1
        await asyncio.sleep(0.2)
    await asyncio.sleep(1)
    writer.write(b"x" * (1000 - sent))
    status = await reader.readline()
    writer.close()
    return status


@contextmanager
def slow_uploads(stack: PortalStack, count: int) -> Iterator[list[ssl.SSLSocket]]:
    """Uploads that stop before their end, and stay open."""
    port, length = stack.settings["ports"]["https"], 12 << 20
    head = f"POST /api/v1/entities HTTP/1.1\r\nHost: {DOMAIN}\r\nContent-Length: {length}\r\n\r\n"
    with ExitStack() as opened:
        uploads: list[ssl.SSLSocket] = []
        for _ in range(count):
            plain = opened.enter_context(socket.create_connection(("127.0.0.1", port)))
            upload = opened.enter_context(trust(stack).wrap_socket(plain, server_hostname=DOMAIN))
            with suppress(OSError):
                upload.sendall(head.encode() + bytes(length - 65536))
            upload.settimeout(0.1)
            uploads.append(upload)
            _go_on(uploads)
        yield uploads


def count_refused(uploads: list[ssl.SSLSocket]) -> int:
    """How many are answered with 429 before their end; whatever is answered is taken off the list.

    The others go on.
    """
    refused = 0
    for upload in tuple(uploads):
        try:
            refused += b" 429 " in upload.recv(64)
            uploads.remove(upload)
        except TimeoutError:
            _go_on([upload])
    return refused


def _go_on(uploads: list[ssl.SSLSocket]) -> None:
    """By a byte each: nginx waits ten seconds for more of a body."""
    for upload in uploads:
        with suppress(OSError):
            upload.send(b"x")
