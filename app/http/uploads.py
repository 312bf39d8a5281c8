"""Request bodies that are read as they are, up to a size."""

from typing import Any

from fastapi import Request

from app.exceptions import InvalidRequestError, TooLargeError


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


def request_body(description: str, content: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI's description of a body that FastAPI does not parse."""
    return {"requestBody": {"required": True, "description": description, "content": content}}
