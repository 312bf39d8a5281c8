"""Conditional requests: If-Match before a change, If-None-Match before a read."""

from typing import Annotated

from fastapi import Header, Request, Response
from pydantic import StringConstraints
from pydantic.json_schema import SkipJsonSchema

from app.services.cache import Snapshot

_ETAG_LIST = r'^(\*|(W/)?"[\x21\x23-\x7e]*"(\s*,\s*(W/)?"[\x21\x23-\x7e]*")*)$'

_Tags = Annotated[str, StringConstraints(max_length=1000, pattern=_ETAG_LIST)]

IfMatch = Annotated[
    _Tags,
    Header(description="The ETag of the version that this changes.", examples=['"4c1f0a9b2d3e-3"']),
]
MaybeIfMatch = Annotated[
    # None stands for a header that was not sent; a client cannot send null.
    _Tags | SkipJsonSchema[None],
    Header(description="The ETag of the version that this replaces, if there is one."),
]


def respond(
    request: Request, snapshot: Snapshot, *, media_type: str = "application/json"
) -> Response:
    """The snapshot, or 304 to a client that has it."""
    headers = {"ETag": snapshot.etag, "Cache-Control": "private, no-cache"}
    if _is_known(request.headers.get("if-none-match"), snapshot.etag):
        return Response(status_code=304, headers=headers)
    return Response(snapshot.body, headers=headers, media_type=media_type)


def _is_known(given: str | None, etag: str) -> bool:
    """Weak comparison, as RFC 9110, section 13.1.2, requires."""
    if given is None:
        return False
    return given.strip() == "*" or etag in (
        tag.strip().removeprefix("W/") for tag in given.split(",")
    )
