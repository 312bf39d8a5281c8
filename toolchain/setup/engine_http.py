"""HTTP to a Docker engine over its Unix socket or TCP, with the standard library alone."""

import http.client
import socket
import ssl
from urllib.parse import urlsplit

from toolchain.setup.engine_address import EngineAddress

_PLAIN_PORT, _TLS_PORT = 2375, 2376


class _SocketConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout_seconds: float) -> None:
        super().__init__("docker", timeout=timeout_seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def make_connection(
    address: EngineAddress, *, timeout_seconds: float
) -> http.client.HTTPConnection:
    """A connection that is opened by its first request.

    Raises
    ------
    ValueError
        Raised for an address that is neither `unix://` nor `tcp://`.
    """
    parts = urlsplit(address.host)
    if parts.scheme == "unix":
        return _SocketConnection(parts.path, timeout_seconds)
    if parts.scheme not in ("tcp", "http", "https"):
        raise ValueError(f"unknown scheme: {parts.scheme}")
    host = parts.hostname or "localhost"
    if address.tls is None and parts.scheme != "https":
        return http.client.HTTPConnection(host, parts.port or _PLAIN_PORT, timeout=timeout_seconds)
    port = parts.port or _TLS_PORT
    context = _tls_context(address)
    return http.client.HTTPSConnection(host, port, timeout=timeout_seconds, context=context)


def _tls_context(address: EngineAddress) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if address.tls is not None:
        context.load_verify_locations(address.tls / "ca.pem")
        context.load_cert_chain(address.tls / "cert.pem", address.tls / "key.pem")
    return context
