"""Requests on a condition: If-Match before a change, If-None-Match before an answer."""

from typing import Annotated, Any

from fastapi import Header, Request, Response
from pydantic import StringConstraints
from pydantic.json_schema import SkipJsonSchema

from app.models.problem import Problem
from app.services.cache import Snapshot

_ETAG_LIST = r'^(\*|(W/)?"[\x21\x23-\x7e]*"(\s*,\s*(W/)?"[\x21\x23-\x7e]*")*)$'

_Tags = Annotated[str, StringConstraints(max_length=1000, pattern=_ETAG_LIST)]

IfMatch = Annotated[
    _Tags,
    Header(description="The ETag of the version that this changes.", examples=['"4c1f0a9b2d3e-3"']),
]
MaybeIfMatch = Annotated[
    # Null is how a header that was not sent looks in here, not what can be sent.
    _Tags | SkipJsonSchema[None],
    Header(description="The ETag of what this replaces; needed when there is something."),
]
_TAG = {"ETag": {"description": "Names this version.", "schema": {"type": "string"}}}

READ_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"headers": _TAG},
    304: {"description": "What the client has is current.", "headers": _TAG},
}
CHANGE_RESPONSES: dict[int | str, dict[str, Any]] = {
    412: {"model": Problem, "description": "Somebody changed it meanwhile."},
    428: {"model": Problem, "description": "If-Match is missing."},
}


def answer(
    request: Request, snapshot: Snapshot, *, media_type: str = "application/json"
) -> Response:
    """The bytes as they are, or 304 to a client that has them."""
    headers = {"ETag": snapshot.etag, "Cache-Control": "private, no-cache"}
    if _is_known(request.headers.get("if-none-match"), snapshot.etag):
        return Response(status_code=304, headers=headers)
    return Response(snapshot.body, headers=headers, media_type=media_type)


def _is_known(given: str | None, etag: str) -> bool:
    """Compares weakly, as RFC 9110, section 13.1.2, says."""
    if given is None:
        return False
    return given.strip() == "*" or etag in (
        tag.strip().removeprefix("W/") for tag in given.split(",")
    )
