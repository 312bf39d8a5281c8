"""Declared answers: every status that a route can give stands in the OpenAPI document."""

from typing import Any

from app.models.problem import Problem

Responses = dict[int | str, dict[str, Any]]

_DESCRIPTIONS = {
    404: "There is no such thing.",
    409: "It is there already, or in use.",
    413: "More was sent than is taken.",
    422: "What was sent breaks a rule; the detail names it.",
    503: "A dependency is away; try again after Retry-After seconds.",
}


def problems(*statuses: int) -> Responses:
    """These statuses, answered as problem details."""
    return {status: _problem(status) for status in statuses}


def _problem(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "model": Problem,
        "description": _DESCRIPTIONS[status],
        "content": {"application/problem+json": {"schema": schema}},
    }


def with_responses(rule: dict[str, Any], *more: Responses) -> dict[str, Any]:
    """A route's keyword arguments of `access` with further declared answers."""
    merged: Responses = dict(rule.get("responses", {}))
    for responses in more:
        merged |= responses
    return {**rule, "responses": merged}


CATALOGUE_RESPONSES = problems(404, 422, 503)
