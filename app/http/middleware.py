"""Around every request: its id, its metrics, its log line, headers that every response carries."""

import re
import time
import uuid
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse
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
_OTHER_HOST = "host: should be localhost or an address. Open the portal by one of them.\n"
_PORT = re.compile(":[0-9]*$")
_QUIET = {"/livez", "/readyz", "/startupz", "/health"}
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
        self._metrics.count(method, route, status, seconds)


class HeadRequests:
    """Answers HEAD as GET without the body (RFC 9110, section 9.3.2), whatever is requested."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("method") != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        # A copy: the server has to know that no body follows, and the log what was requested.
        reading = {**scope, "method": "GET"}
        await self._app(reading, receive, send_without_body)
        scope["route"] = reading.get("route")


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


class OwnHosts:
    """Answers requests for localhost or an address alone, for a portal without Nginx in front.

    A web page may point a name of its own at this machine (DNS rebinding), and would then read what
    the portal shows everybody. Starlette's TrustedHostMiddleware takes no IPv6 address.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_own_host(Headers(scope=scope).get("host", "").lower()):
            await self._app(scope, receive, send)
        else:
            await PlainTextResponse(_OTHER_HOST, 421)(scope, receive, send)


def security_headers() -> list[Header]:
    """`SECURITY_HEADERS` as a server sends them."""
    return [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]


@lru_cache(maxsize=1024)
def _is_own_host(host: str) -> bool:
    name = _PORT.sub("", host)
    bracketed = name.startswith("[") and name.endswith("]")
    address = _known_address(name[1:-1] if bracketed else name)
    is_local = name == "localhost" or name.endswith(".localhost")
    return is_local or (address != "" and bracketed == (":" in address))


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
