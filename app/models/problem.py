"""Errors, as RFC 9457 problem details."""

from pydantic import BaseModel


class Problem(BaseModel):
    """`application/problem+json`."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str
