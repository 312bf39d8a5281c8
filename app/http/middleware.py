"""Around every request: its id, its metrics, its log line, headers that every response carries."""

import re
import time
import uuid
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.logs import AccessLog
from app.metrics import Metrics
from app.request_context import client_address, request_id

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "object-src 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""The same as in docker/nginx/headers.conf; a test compares them."""

_HEADER = b"x-request-id"
_VALID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_QUIET = {"/livez", "/readyz", "/health"}
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_VARY = (b"vary", b"Origin")
Header = tuple[bytes, bytes]


class RequestRecord:
    """Gives a request its id, from `X-Request-ID` if the client sent one, and records it.

    It is one layer because each costs every request some microseconds. Code that handles the
    request may add to `state.response_headers`, also for a response that becomes an error.

    Parameters
    ----------
    headers
        Headers of every response.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, headers: Sequence[Header]) -> None:
        self._app = app
        self._metrics = metrics
        self._headers = headers
        self._log = AccessLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            try:
                await self._app(scope, receive, send)
            finally:
                # The server stops after this, and log lines that wait would be lost.
                self._log.flush()
            return
        identity = _identify(scope)
        request_token = request_id.set(identity)
        address = _address(scope)
        address_token = client_address.set(address)
        more: list[Header] = []
        scope.setdefault("state", {})["response_headers"] = more
        started, status = time.perf_counter(), 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = (_HEADER, identity.encode())
                message["headers"] = [*message["headers"], *self._headers, *more, own]
            await send(message)

        self._metrics.requests_running.inc()
        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            self._metrics.requests_running.dec()
            seconds = time.perf_counter() - started
            self._measure(scope, status, seconds)
            if scope["path"] not in _QUIET or status >= 500:
                self._log.write(scope["method"], scope["path"], status, seconds, address)
            client_address.reset(address_token)
            request_id.reset(request_token)

    def _measure(self, scope: Scope, status: int, seconds: float) -> None:
        """Count a request by the template of its route: there is no end of paths."""
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route: str = getattr(scope.get("route"), "path", None) or _unrouted(scope["path"])
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.request_seconds.labels(method, route).observe(seconds)


class CrossOrigin(CORSMiddleware):
    """CORS, which costs nothing for requests of the portal's own origin: nearly all of them."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or any(name == b"origin" for name, _ in scope["headers"]):
            await super().__call__(scope, receive, send)
            return

        async def send_with_vary(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], _VARY]
            await send(message)

        await self.app(scope, receive, send_with_vary)


def security_headers() -> list[Header]:
    """`SECURITY_HEADERS` as a server sends them."""
    return [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]


def _unrouted(path: str) -> str:
    return "/assets" if path.startswith("/assets/") else "none"


def _identify(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == _HEADER), b"")
    return given.decode() if _VALID.fullmatch(given) else uuid.uuid4().hex


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return _known_address(client[0]) if client else ""


@lru_cache(maxsize=1024)
def _known_address(host: str) -> str:
    """The client's IP address; empty for a host that is not one."""
    try:
        return str(ip_address(host))
    except ValueError:
        return ""
