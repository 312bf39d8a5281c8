"""Request bodies: how large they may be, and those that are read as they are."""

import re
from typing import Any

from fastapi import HTTPException, Request
from starlette.datastructures import FormData, Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.constants import MAX_BODY_BYTES, MAX_UPLOAD_BYTES
from app.exceptions import BusyError, InvalidRequestError, TooLargeError

_UPLOADS = re.compile(r"(/api/v1)?/entities/(import|[^/]+/[^/]+/[^/]+/(upload|versions/[^/]+))")
_READS = ("GET", "HEAD", "OPTIONS")


class BodyLimit:
    """Refuses bodies that no route wants so large, before they are parsed.

    As JSON, a body takes twenty times its size in memory, on routes that are open to everybody too.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in _READS:
            await self._app(scope, receive, send)
            return
        most = MAX_UPLOAD_BYTES if _UPLOADS.fullmatch(scope["path"]) else MAX_BODY_BYTES
        said = Headers(scope=scope).get("content-length", "")
        size = int(said) if said.isdecimal() else 0

        async def receive_some() -> Message:
            nonlocal size
            message = {} if size > most else await receive()
            if not said:
                size += len(message.get("body", b""))
            if size > most:
                error = TooLargeError(f"the body should have at most {most} bytes")
                # FastAPI takes any other error of a body for a mistake in it.
                raise HTTPException(error.status) from error
            return message

        await self._app(scope, receive_some, send)


async def read_body(request: Request, *, max_bytes: int) -> bytes:
    """The request's body, of which no more than `max_bytes` is read.

    Raises
    ------
    TooLargeError
        Raised as soon as it turns out to be larger.
    InvalidRequestError
        Raised for an empty body.
    """
    too_large = TooLargeError(f"the body should have at most {max_bytes} bytes")
    if int(request.headers.get("content-length", "0")) > max_bytes:
        raise too_large
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > max_bytes:
            raise too_large
    if not size:
        raise InvalidRequestError("the body should not be empty")
    return b"".join(parts)


async def read_form(request: Request) -> FormData:
    """The form that was sent; files of it lie in the container's small /tmp until it is closed.

    Raises
    ------
    BusyError
        Raised when there is no room for them.
    InvalidRequestError
        Raised for texts that no UTF-8 can hold: a form may name an encoding of its own.
    """
    try:
        form = await request.form()
        for name, value in form.multi_items():
            f"{name}{value if isinstance(value, str) else value.filename}".encode()
        return form
    except OSError as error:
        raise BusyError("there is no room for the file: try again in a moment") from error
    except UnicodeError as error:
        raise InvalidRequestError("the form should be text in UTF-8") from error


def request_body(description: str, content: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI's description of a body that FastAPI does not parse."""
    return {"requestBody": {"required": True, "description": description, "content": content}}
