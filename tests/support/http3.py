"""Requests over HTTP/3, which httpx does not speak."""

import asyncio
from typing import Any

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import QuicEvent

_TIMEOUT_SECONDS = 20


class _Client(QuicConnectionProtocol):
    """A connection for one request."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._http = H3Connection(self._quic)
        self._headers: dict[str, str] = {}
        self._end = asyncio.get_running_loop().create_future()

    def quic_event_received(self, event: QuicEvent) -> None:
        for found in self._http.handle_event(event):
            if isinstance(found, HeadersReceived):
                self._headers |= {name.decode(): value.decode() for name, value in found.headers}
            if isinstance(found, HeadersReceived | DataReceived) and found.stream_ended:
                self._end.set_result(self._headers)

    async def get(self, authority: str, path: str) -> dict[str, str]:
        asked = {":method": "GET", ":scheme": "https", ":authority": authority, ":path": path}
        stream = self._quic.get_next_available_stream_id()
        headers = [(name.encode(), value.encode()) for name, value in asked.items()]
        self._http.send_headers(stream, headers, end_stream=True)
        self.transmit()
        return await self._end


async def get_over_http3(port: int, domain: str, authority: str, path: str) -> dict[str, str]:
    """The headers of loopback's answer, `:status` among them.

    Parameters
    ----------
    authority
        Certificate, PEM, which the server's has to be signed by.
    """
    configuration = QuicConfiguration(alpn_protocols=H3_ALPN, server_name=domain)
    configuration.load_verify_locations(cadata=authority.encode())
    async with (
        asyncio.timeout(_TIMEOUT_SECONDS),
        connect("127.0.0.1", port, configuration=configuration, create_protocol=_Client) as client,
    ):
        assert isinstance(client, _Client)
        return await client.get(f"{domain}:{port}", path)
