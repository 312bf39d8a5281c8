"""Answers what BuildKit asks during a build: registry credentials and secrets.

BuildKit calls the client back over gRPC, on a connection that the client opens with `POST
/session` (moby/buildkit `session/`). gRPC for Python cannot serve a connection that is already
open, so a server listens on a private socket and the bytes are passed on.
"""

import contextlib
import secrets
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import Any

import grpc
import requests
import urllib3

from plugins.docker.build.wire import (
    CredentialsRequest,
    CredentialsResponse,
    GetSecretRequest,
    GetSecretResponse,
    HealthCheckResponse,
)

_AUTH = "moby.filesync.v1.Auth"
_SECRETS = "moby.buildkit.secrets.v1.Secrets"
_HEALTH = "grpc.health.v1.Health"
_METHODS = (f"/{_AUTH}/Credentials", f"/{_SECRETS}/GetSecret", f"/{_HEALTH}/Check")
_SERVING = 1
_CHUNK_BYTES = 64 * 1024

CredentialsFor = Callable[[str], tuple[str, str] | None]
"""User name and password for a registry host, or None where there are none."""


class SessionError(Exception):
    """The engine opens no session; the build goes on without one where it can."""


@contextlib.contextmanager
def build_session(
    api: Any, credentials_for: CredentialsFor, secret_values: Mapping[str, bytes]
) -> Iterator[str]:
    """Keep a session open; yields the id that the build call names.

    Parameters
    ----------
    api
        The Docker SDK's `APIClient`.
    credentials_for
        Asked for each registry that the build pulls from.
    secret_values
        Content by secret id, for `RUN --mount=type=secret`.
    """
    session_id = secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="buildkit-") as folder:
        path = Path(folder) / "session.sock"
        server = _server(credentials_for, secret_values)
        server.add_insecure_port(f"unix:{path}")
        server.start()
        response = _hijack(api, session_id)
        local = socket.socket(socket.AF_UNIX)
        local.connect(str(path))
        try:
            _join(response, local)
            yield session_id
        finally:
            # Both ends: the copying threads wait on one each.
            _shut(local)
            _shut(_socket_of(response))
            response.close()
            server.stop(grace=None)


def _server(credentials_for: CredentialsFor, secret_values: Mapping[str, bytes]) -> grpc.Server:
    def credentials(request: Any, _context: grpc.ServicerContext) -> Any:
        found = credentials_for(request.host)
        return CredentialsResponse(username=found[0], secret=found[1]) if found else _ANONYMOUS

    def secret(request: Any, context: grpc.ServicerContext) -> Any:
        if request.id not in secret_values:
            context.abort(grpc.StatusCode.NOT_FOUND, f"secret {request.id}: not found")
        return GetSecretResponse(data=secret_values[request.id])

    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    handlers = (
        _handler(_AUTH, "Credentials", credentials, CredentialsRequest.FromString),
        _handler(_SECRETS, "GetSecret", secret, GetSecretRequest.FromString),
        _handler(_HEALTH, "Check", lambda *_: HealthCheckResponse(status=_SERVING), bytes),
    )
    server.add_generic_rpc_handlers(handlers)
    return server


_ANONYMOUS = CredentialsResponse()


def _handler(
    service: str, method: str, answer: Callable[..., Any], parse: Callable[[bytes], Any]
) -> grpc.GenericRpcHandler:
    handler = grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=parse,
        response_serializer=_serialize,
    )
    return grpc.method_handlers_generic_handler(service, {method: handler})


def _serialize(message: Any) -> bytes:
    return message.SerializeToString()


def _hijack(api: Any, session_id: str) -> urllib3.BaseHTTPResponse:
    headers = urllib3.HTTPHeaderDict(
        {
            "Connection": "Upgrade",
            "Upgrade": "h2c",
            "X-Docker-Expose-Session-Uuid": session_id,
            "X-Docker-Expose-Session-Name": "devportal",
        }
    )
    for method in _METHODS:
        headers.add("X-Docker-Expose-Session-Grpc-Method", method)
    # Below requests: it joins the methods into one header, the engine wants one each.
    request = requests.Request("POST", api._url("/session")).prepare()
    adapter = api.get_adapter(request.url)
    pool = adapter.get_connection_with_tls_context(request, api.verify, cert=api.cert)
    response = pool.urlopen(
        "POST",
        adapter.request_url(request, None),
        headers=headers,
        preload_content=False,
        retries=False,
        timeout=None,
    )
    if response.status != HTTPStatus.SWITCHING_PROTOCOLS:
        raise SessionError(f"got HTTP {response.status}")
    return response


def _join(response: urllib3.BaseHTTPResponse, local: socket.socket) -> None:
    remote = _socket_of(response)
    # The engine speaks first; its first bytes may have been read along with the HTTP headers.
    reader = response._fp.fp  # type: ignore[attr-defined]
    copies = (
        (lambda: reader.read1(_CHUNK_BYTES), local.sendall),
        (lambda: local.recv(_CHUNK_BYTES), remote.sendall),
    )
    for read, write in copies:
        threading.Thread(target=_copy, args=(read, write), daemon=True).start()


def _copy(read: Callable[[], bytes], write: Callable[[bytes], Any]) -> None:
    with contextlib.suppress(OSError, ValueError):
        while block := read():
            write(block)


def _socket_of(response: urllib3.BaseHTTPResponse) -> socket.socket:
    return response.connection.sock  # type: ignore[union-attr]


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
