"""What happens around every request: its id and its line in the log."""

import logging
import re
import time
import uuid
from functools import lru_cache
from ipaddress import ip_address

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.logs import client_address, request_id

_HEADER = b"x-request-id"
_VALID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_QUIET = {"/livez", "/readyz", "/health"}
_logger = logging.getLogger("app.access")


class RequestLog:
    """Takes a request's id from `X-Request-ID`, or makes one, and returns it in the answer.

    Whoever handles the request may add to `state.answer_headers`, also for an answer that becomes
    an error.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identity = _identify(scope)
        token = request_id.set(identity)
        address = client_address.set(_address(scope))
        more = scope.setdefault("state", {})["answer_headers"] = []
        started, status = time.perf_counter(), 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *more, (_HEADER, identity.encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            if scope["path"] not in _QUIET or status >= 500:
                _write_line(scope, status, time.perf_counter() - started)
            client_address.reset(address)
            request_id.reset(token)


def _identify(scope: Scope) -> str:
    given = dict(scope["headers"]).get(_HEADER, b"")
    return given.decode() if _VALID.fullmatch(given) else uuid.uuid4().hex


def _write_line(scope: Scope, status: int, seconds: float) -> None:
    extra = {
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
        "client": _address(scope),
    }
    _logger.info("%s %s", scope["method"], scope["path"], extra=extra)


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
