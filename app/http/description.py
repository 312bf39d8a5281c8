"""The OpenAPI document: what FastAPI finds, with problem details and ways to sign in."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.http.access import Access
from app.http.responses import Problem, problems

# FastAPI documents these for a request that it refuses; the portal responds with a problem.
_REPLACED = ("HTTPValidationError", "ValidationError")
_OPEN = (Access.PUBLIC, Access.READ, Access.INSIDE)
_SCHEMES = {
    "accessToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The access token of `POST /api/v1/auth/login`.",
    },
    "apiKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "A key of `POST /api/v1/me/api-keys`, on routes that name a scope.",
    },
}


def describe_api(app: FastAPI) -> dict[str, Any]:
    """The document, made once."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        _complete(document)
        app.openapi_schema = document
    return app.openapi_schema


def _complete(document: dict[str, Any]) -> None:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in _REPLACED:
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema()
    components["securitySchemes"] = _SCHEMES
    for path in document["paths"].values():
        for operation in path.values():
            _complete_operation(operation)


def _complete_operation(operation: dict[str, Any]) -> None:
    if "application/json" in operation["responses"].get("422", {}).get("content", {}):
        operation["responses"]["422"] = problems(422)[422]
    if operation.get("x-access") == Access.PUBLIC:
        return
    ways = [{"accessToken": []}, *([{"apiKey": []}] if "x-scope" in operation else [])]
    anonymous = [{}] if operation.get("x-access") in _OPEN else []
    operation["security"] = [*anonymous, *ways]
