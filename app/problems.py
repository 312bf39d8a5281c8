"""Every error becomes an RFC 9457 problem; nobody outside sees a traceback."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from app.constants import RETRY_AFTER_SECONDS
from app.exceptions import PortalError
from app.logs import request_id
from app.models.problem import Problem

_logger = logging.getLogger(__name__)


def install_problem_handlers(app: FastAPI) -> None:
    """Make `app` answer every error as a problem."""
    app.add_exception_handler(PortalError, _answer_portal_error)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid_request)
    app.add_exception_handler(Exception, _answer_unexpected)


def _problem(status: int, title: str, detail: str) -> JSONResponse:
    problem = Problem(title=title, status=status, detail=detail, request_id=request_id.get())
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 503 else None
    return JSONResponse(
        problem.model_dump(), status, headers, media_type="application/problem+json"
    )


async def _answer_portal_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, PortalError)
    return _problem(error.status, error.title, error.detail)


async def _answer_http_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return _problem(error.status_code, str(error.detail), str(error.detail))


async def _answer_invalid_request(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
    return _problem(422, "Invalid request", "; ".join(found))


async def _answer_unexpected(_request: Request, error: Exception) -> JSONResponse:
    _logger.error("unexpected error", exc_info=error)
    return _problem(500, "Internal error", "the error was logged under this request's id")
