"""Requests that take ten seconds, in each way that a request can take long."""

import asyncio
import ssl
import time
from typing import Any

import httpx
from websockets.asyncio.client import connect

from benchmarks.harness.production import DOMAIN

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
