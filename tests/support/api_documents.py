"""Small API documents, and what the comparison finds between two of them."""

from typing import Any

from app.openapi.diff import diff_documents

Json = dict[str, Any]
TEXT: Json = {"type": "string"}


def document(
    paths: Json | None = None, *, schemas: Json | None = None, version: str = "3.1.0", **more: Any
) -> Json:
    info = {"title": "Orders", "version": "1"}
    components = {"schemas": schemas or {}, **more.pop("components", {})}
    document = {"openapi": version, "info": info, "paths": paths or {}, "components": components}
    return {**document, **more}


def operation(**parts: Any) -> Json:
    return {"/orders": {"post": {"responses": {"204": {"description": "done"}}, **parts}}}


def sending(schema: Any, **more: Any) -> Json:
    content = {"application/json": {"schema": schema}}
    return document(operation(requestBody={"content": content}), **more)


def answering(schema: Any, **more: Any) -> Json:
    content = {"application/json": {"schema": schema}}
    return document(operation(responses={"200": {"description": "", "content": content}}), **more)


def compare(old: Json, new: Json) -> list[tuple[str, str]]:
    """Place of each change, and what it is: `breaking rule: message` or `safe rule: message`."""
    return [
        (
            change.where,
            f"{'breaking' if change.breaking else 'safe'} {change.rule}: {change.message}",
        )
        for change in diff_documents(old, new)
    ]


def shape(**properties: Json) -> Json:
    """An object; a property with `must` is required."""
    required = [name for name, schema in properties.items() if "must" in schema]
    plain = {
        name: {key: value for key, value in schema.items() if key != "must"}
        for name, schema in properties.items()
    }
    return {"type": "object", "properties": plain, "required": required}
