"""Problem details, and the responses that routes declare for the OpenAPI document."""

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

Responses = dict[int | str, dict[str, Any]]
PROBLEM_TYPE = "application/problem+json"


class Problem(BaseModel):
    """An error, as RFC 9457 describes it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str


_DESCRIPTIONS = {
    404: "It does not exist.",
    409: "It exists already, or is in use.",
    410: "The link was used, replaced or taken back, or has expired.",
    412: "It was changed in the meantime.",
    413: "The body is too large.",
    422: "The request breaks a rule, which the detail names.",
    428: "If-Match is missing.",
    503: "A dependency is away; try again after Retry-After seconds.",
}
_TAG = {"ETag": {"description": "Names this version.", "schema": {"type": "string"}}}


def problems(*statuses: int) -> Responses:
    """A problem for each of the statuses."""
    return {status: _describe(status) for status in statuses}


def _describe(status: int) -> dict[str, Any]:
    phrase = HTTPStatus(status).phrase
    schema = {"$ref": "#/components/schemas/Problem"}
    example = {
        "type": "about:blank",
        "title": phrase,
        "status": status,
        "detail": "what is wrong, and what to do",
        "request_id": "5eb02ba1441241c2981c97bf0bc5b4b3",
    }
    return {
        "description": _DESCRIPTIONS.get(status, phrase),
        "content": {PROBLEM_TYPE: {"schema": schema, "example": example}},
    }


CATALOGUE_ERRORS = (404, 422)
CHANGE_ERRORS = (412, 428)
CONDITIONAL_READ: Responses = {
    200: {"headers": _TAG},
    304: {"description": "The client's version is current.", "headers": _TAG},
}
