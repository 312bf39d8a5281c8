"""What routes say in the OpenAPI document of the errors they answer."""

from http import HTTPStatus
from typing import Any

from app.models.problem import Problem


def describe_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route: a problem for each status."""
    return {status: _describe(status) for status in statuses}


def _describe(status: int) -> dict[str, Any]:
    example = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": "what is wrong, and what to do",
        "request_id": "5eb02ba1441241c2981c97bf0bc5b4b3",
    }
    schema = Problem.model_json_schema()
    return {
        "description": HTTPStatus(status).phrase,
        "content": {"application/problem+json": {"schema": schema, "example": example}},
    }
