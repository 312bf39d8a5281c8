"""HTTP to a Docker engine over its Unix socket or TCP, with the standard library alone."""

import http.client
import socket
import ssl
from urllib.parse import urlsplit

from toolchain.setup.engine_address import EngineAddress
from toolchain.images.errors import ImagesError

# A quiet build step may take minutes; only the connection itself has to be quick.
_CONNECT_SECONDS = 10.0
_PLAIN_PORT, _TLS_PORT = 2375, 2376


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("docker", timeout=_CONNECT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_CONNECT_SECONDS)
        self.sock.connect(self._path)


def connect_engine(address: EngineAddress) -> http.client.HTTPConnection:
    """Open a connection without a time limit on answers.

    Raises
    ------
    ImagesError
        Raised when nothing answers, or for an address that is neither `unix://` nor `tcp://`.
    """
    connection = _make_connection(address)
    try:
        connection.connect()
    except OSError as error:
        raise ImagesError(
            f"docker engine: should answer at {address.host} (got: {error.strerror or error}). "
            "Start it, or choose another with DOCKER_HOST."
        ) from None
    connection.sock.settimeout(None)
    return connection


def _make_connection(address: EngineAddress) -> http.client.HTTPConnection:
    parts = urlsplit(address.host)
    if parts.scheme == "unix":
        return _SocketConnection(parts.path)
    if parts.scheme not in ("tcp", "http", "https"):
        raise ImagesError(
            f"docker engine: address should start with unix:// or tcp:// (got '{address.host}'). "
            "Build on that machine, or forward its socket: ssh -L /tmp/docker.sock:"
            "/var/run/docker.sock HOST, then DOCKER_HOST=unix:///tmp/docker.sock."
        )
    host = parts.hostname or "localhost"
    if address.tls is None and parts.scheme != "https":
        return http.client.HTTPConnection(host, parts.port or _PLAIN_PORT, timeout=_CONNECT_SECONDS)
    return http.client.HTTPSConnection(
        host, parts.port or _TLS_PORT, timeout=_CONNECT_SECONDS, context=_tls_context(address)
    )


def _tls_context(address: EngineAddress) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if address.tls is not None:
        context.load_verify_locations(address.tls / "ca.pem")
        context.load_cert_chain(address.tls / "cert.pem", address.tls / "key.pem")
    return context
