"""Requests to addresses that users name: to other machines' public ones, and nowhere else.

A name is resolved once, and what it was resolved to is checked and connected to; redirects are not
followed, and no proxy of the environment is asked.
"""

import asyncio
import socket
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, cast

import httpcore

_SECONDS = 10
_TIMEOUT = {name: float(_SECONDS) for name in ("connect", "read", "write", "pool")}
_PUBLIC = IPv6Network("2000::/3")
"""All that is given out. Outside of it are old private addresses of sites, and those in which a
gateway finds IPv4 ones: any private address could stand there."""


class OutgoingError(Exception):
    """It was not sent, or not taken; the message tells why, in a line."""


class PublicAddresses(httpcore.AsyncNetworkBackend):
    """Connects to public addresses, and to those of the networks that are allowed besides."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = [ip_network(network) for network in allowed]
        self._backend = cast(httpcore.AsyncNetworkBackend, httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises OutgoingError for an address that may not be reached."""
        address = await self._resolve(host, port)
        return await self._backend.connect_tcp(address, port, timeout, None, socket_options)

    async def _resolve(self, host: str, port: int) -> str:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise OutgoingError(f"{host}: the name should have an address") from error
        addresses = [str(entry[4][0]) for entry in found]
        if refused := [one for one in addresses if not self.may_reach(one)]:
            raise OutgoingError(
                f"{host}: should be a public address (got {refused[0]}). "
                "app.webhooks_allowed_networks names others that may be reached."
            )
        return addresses[0]

    def may_reach(self, address: str) -> bool:
        """Whether it is public, or in a network that is allowed."""
        try:
            found = _unwrapped(ip_address(address))
        except ValueError:
            return False
        if any(found in network for network in self._allowed):
            return True
        return found.is_global and not found.is_multicast and _is_given_out(found)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    return getattr(address, "ipv4_mapped", None) or address


def _is_given_out(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return True
    is_tunnel = bool(address.sixtofour or address.teredo)
    return address in _PUBLIC and not is_tunnel


class Outgoing:
    """Posts to addresses that users name."""

    def __init__(self, allowed_networks: Iterable[str]) -> None:
        self._addresses = PublicAddresses(allowed_networks)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send it, and read no more of the answer than its status.

        Raises
        ------
        OutgoingError
            Raised unless it was answered with success.
        """
        try:
            async with (
                asyncio.timeout(_SECONDS),
                httpcore.AsyncConnectionPool(network_backend=self._addresses) as pool,
                pool.stream(
                    "POST",
                    url,
                    headers=[(name, value) for name, value in headers.items()],
                    content=body,
                    extensions={"timeout": _TIMEOUT},
                ) as response,
            ):
                status = response.status
        except (TimeoutError, httpcore.TimeoutException) as error:
            raise OutgoingError(f"no answer within {_SECONDS} s") from error
        except (OSError, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise OutgoingError(f"no connection ({type(error).__name__})") from error
        if not 200 <= status < 300:
            raise OutgoingError(f"the answer should be 2xx (got {status})")
