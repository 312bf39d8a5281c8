"""Every error becomes an RFC 9457 problem; no client sees a traceback."""

import logging
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.exceptions import PortalError, one_line
from app.http.responses import PROBLEM_TYPE, Problem
from app.request_context import request_id

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_CONDITION = ("header", "if-match")
_logger = logging.getLogger(__name__)


def install_problem_handlers(app: FastAPI) -> None:
    """Make `app` respond to every expected error with a problem."""
    app.add_exception_handler(PortalError, _respond_to_portal_error)
    app.add_exception_handler(HTTPException, _respond_to_http_error)
    app.add_exception_handler(RequestValidationError, _respond_to_invalid_request)


class UnexpectedErrors:
    """Responds to unexpected errors with a problem, and logs them.

    It runs inside of the request log, unlike a handler for `Exception`, which FastAPI puts outside
    of everything: there the request's id is gone, and CORS hides the response from a browser.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_noting_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_noting_start)
        except Exception as error:
            if started or scope["type"] != "http":
                raise
            _logger.error("unexpected error", exc_info=error)
            detail = "the error was logged under this request's id"
            await _problem(500, "Internal error", detail)(scope, receive, send)


def _problem(
    status: int, title: str, detail: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    problem = Problem(title=title, status=status, detail=detail, request_id=request_id.get())
    return JSONResponse(problem.model_dump(), status, headers, media_type=PROBLEM_TYPE)


async def _respond_to_portal_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, PortalError)
    if error.status >= 500:
        _logger.warning("%s: %s", error.detail, one_line(error.__cause__ or error))
    return _problem(error.status, error.title, error.detail, error.headers)


async def _respond_to_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    detail = str(error.detail)
    if isinstance(error.__cause__, PortalError):
        return await _respond_to_portal_error(request, error.__cause__)
    if isinstance(error.__cause__, UnicodeDecodeError):
        return _problem(422, "Invalid request", "body: should be JSON in UTF-8")
    headers = {"Allow": _allowed_methods(request)} if error.status_code == 405 else error.headers
    return _problem(error.status_code, detail, detail, headers)


def _allowed_methods(request: Request) -> str:
    """All of a path's (RFC 9110, section 10.2.1); FastAPI names those of its first route only."""

    def is_allowed(method: str) -> bool:
        scope = {**request.scope, "method": "GET" if method == "HEAD" else method}
        return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)

    return ", ".join(filter(is_allowed, _METHODS))


async def _respond_to_invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    is_page = not request.scope["route"].include_in_schema
    if is_page and all(item["loc"][0] == "path" for item in error.errors()):
        return _problem(404, "Not found", "nothing can have this address")
    if any(item["loc"] == _CONDITION and item["type"] == "missing" for item in error.errors()):
        detail = "If-Match: should name the version to be changed (got nothing). Read it first."
        return _problem(428, "Precondition required", detail)
    found = [
        f"{'.'.join(map(str, item['loc']))}: {item['msg'].removeprefix('Value error, ')}"
        for item in error.errors()
    ]
    return _problem(422, "Invalid request", "; ".join(found))
