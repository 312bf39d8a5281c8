"""What happens around every request: its id, its figures, its line, what every answer carries."""

import re
import time
import uuid
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.logs import AccessLog, client_address, request_id
from app.metrics import Metrics

_HEADER = b"x-request-id"
_VALID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_QUIET = {"/livez", "/readyz", "/health"}
_VARY = (b"vary", b"Origin")
Header = tuple[bytes, bytes]


class RequestRecord:
    """Takes a request's id from `X-Request-ID`, or makes one, and returns it in the answer.

    One layer for all of this: each costs every request some microseconds. Whoever handles the
    request may add to `state.answer_headers`, also for an answer that becomes an error.

    Parameters
    ----------
    headers
        What every answer carries.
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
                # The server's life ends here: nobody comes back for what waits.
                self._log.flush()
            return
        identity = _identify(scope)
        request_token = request_id.set(identity)
        address = _address(scope)
        address_token = client_address.set(address)
        more: list[Header] = []
        scope.setdefault("state", {})["answer_headers"] = more
        started, status = time.perf_counter(), 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = (_HEADER, identity.encode())
                message["headers"] = [*message["headers"], *self._headers, *more, own]
            await send(message)

        self._metrics.running += 1
        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            self._metrics.running -= 1
            seconds = time.perf_counter() - started
            self._metrics.observe(scope, status, seconds)
            if scope["path"] not in _QUIET or status >= 500:
                self._log.write(scope["method"], scope["path"], status, seconds, address)
            client_address.reset(address_token)
            request_id.reset(request_token)


class CrossOrigin(CORSMiddleware):
    """CORS, quick about the requests that are of no other origin: nearly all of them."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or any(name == b"origin" for name, _ in scope["headers"]):
            await super().__call__(scope, receive, send)
            return

        async def send_with_vary(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], _VARY]
            await send(message)

        await self.app(scope, receive, send_with_vary)


def _identify(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == _HEADER), b"")
    return given.decode() if _VALID.fullmatch(given) else uuid.uuid4().hex


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return _known_address(client[0]) if client else ""


@lru_cache(maxsize=1024)
def _known_address(host: str) -> str:
    """Who is on the other side; what is no IP address counts as unknown."""
    try:
        return str(ip_address(host))
    except ValueError:
        return ""
