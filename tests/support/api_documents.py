"""Small API documents, and what the comparison finds between two of them."""

from typing import Any

from app.openapi.diff import diff_documents

Json = dict[str, Any]
Found = list[tuple[bool, str, str]]
"""Whether it breaks clients, the rule, and the text, of each change."""

TEXT: Json = {"type": "string"}


def document(
    paths: Json | None = None, *, schemas: Json | None = None, version: str = "3.1.0", **more: Any
) -> Json:
    info = {"title": "Orders", "version": "1"}
    components = {"schemas": schemas or {}, **more.pop("components", {})}
    return {
        "openapi": version,
        "info": info,
        "paths": paths or {},
        "components": components,
        **more,
    }


def operation(**parts: Any) -> Json:
    return {"/orders": {"post": {"responses": {"204": {"description": "done"}}, **parts}}}


def sending(schema: Any, **more: Any) -> Json:
    content = {"application/json": {"schema": schema}}
    return document(operation(requestBody={"content": content}), **more)


def answering(schema: Any, **more: Any) -> Json:
    content = {"application/json": {"schema": schema}}
    return document(operation(responses={"200": {"description": "", "content": content}}), **more)


def compare(old: Json, new: Json) -> Found:
    return [(c.breaking, c.rule, f"{c.where}: {c.message}") for c in diff_documents(old, new)]


def shape(**properties: Any) -> Json:
    required = [name for name, schema in properties.items() if schema.pop("must", False)]
    return {"type": "object", "properties": properties, "required": required}
