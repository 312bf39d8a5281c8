"""The portal's client of Redis, against a server that resets connections or refuses commands."""

import asyncio
import socket
import ssl
import struct
from pathlib import Path

import pytest
import uvloop
from prometheus_client import CollectorRegistry, Counter
from pydantic import SecretStr
from redis.exceptions import ResponseError

from app.config import Config
from app.exceptions import UnavailableError
from app.storage.redis_store import RedisStore
from infra.x509 import make_authority, make_certificate

_AT_ONCE = struct.pack("ii", 1, 0)
_REPLIES = {b"HELLO": b"%1\r\n$5\r\nproto\r\n:3\r\n", b"PING": b"+PONG\r\n"}


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(_REPLIES.get(line.strip(), b""))


async def ping_before_and_after_a_reset(url: str, tls: ssl.SSLContext | None) -> float | None:
    """Errors that were counted, of two pings between which the connection was reset."""
    connections: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await answer(reader, writer)

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls) as server:
        port = server.sockets[0].getsockname()[1]
        registry = CollectorRegistry()
        errors = Counter("errors", "Errors.", registry=registry)
        config = Config.model_construct(redis_url=SecretStr(url.format(port=port)))
        store = RedisStore(config, errors)
        await store.ping()
        accepted: socket.socket = connections[0].get_extra_info("socket")
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        connections[0].transport.abort()
        # The client's end hears of it in one of the loop's next turns.
        for _ in range(100):
            await asyncio.sleep(0)
        async with store.reach() as client:
            assert await client.ping()
        assert len(connections) == 2
        await store.close()
    return registry.get_sample_value("errors_total")


def serve_tls(folder: Path) -> ssl.SSLContext:
    """For 127.0.0.1, by the authority in the folder's file `authority`."""
    authority = make_authority("test", ["127.0.0.1"])
    pair = make_certificate(authority, ["127.0.0.1"])
    (folder / "authority").write_text(authority.certificate)
    (folder / "pair").write_text(pair.certificate + pair.key)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(folder / "pair")
    return tls


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_connection_that_was_reset_while_it_was_idle_is_replaced_unseen(
    scheme: str, tmp_path: Path
) -> None:
    url, tls = f"{scheme}://127.0.0.1:{{port}}/0", None
    if scheme == "rediss":
        url, tls = f"{url}?ssl_ca_certs={tmp_path}/authority", serve_tls(tmp_path)
    assert uvloop.run(ping_before_and_after_a_reset(url, tls)) == 0


async def change(refusal: str) -> list[str]:
    """What becomes of a change that Redis refuses so, by itself and in a transaction."""
    replies = {b"SET": f"-{refusal}\r\n".encode(), b"MULTI": b"+OK\r\n"}
    replies[b"EXEC"] = b"-EXECABORT Transaction discarded because of previous errors.\r\n"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write((_REPLIES | replies).get(line.strip(), b""))

    found: list[str] = []
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        config = Config.model_construct(redis_url=SecretStr(f"redis://127.0.0.1:{port}/0"))
        store = RedisStore(config, Counter("errors", "Errors.", registry=CollectorRegistry()))
        for is_transaction in (False, True):
            try:
                async with store.reach() as client:
                    await client.pipeline(is_transaction).set("key", "value").execute()
            except (UnavailableError, ResponseError) as error:
                found.append(type(error).__name__)
        await store.close()
    return found


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        ("MISCONF Errors writing to the AOF file: No space left on device", "UnavailableError"),
        ("NOREPLICAS Not enough good replicas to write.", "UnavailableError"),
        ("OOM command not allowed when used memory > 'maxmemory'.", "UnavailableError"),
        ("READONLY You can't write against a read only replica.", "UnavailableError"),
        ("ERR wrong number of arguments for 'set' command", "ResponseError"),
    ],
)
def test_redis_that_takes_no_changes_is_away_and_not_a_mistake_of_the_portal(
    refusal: str, error: str
) -> None:
    assert uvloop.run(change(refusal)) == [error, error]
