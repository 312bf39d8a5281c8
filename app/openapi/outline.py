"""An OpenAPI document as pages show it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import islice
from typing import Any

from app.openapi.operations import METHODS
from app.openapi.schema_rows import SchemaRows, schemas, type_name
from app.outline import (
    MAX_ENTRIES,
    MAX_ROWS,
    Answer,
    Body,
    Ids,
    Operation,
    OperationHead,
    Outline,
    Part,
    Row,
    html,
    items,
    line,
    mapping,
)

_MAX_BODIES = 20
"""Of one request or response: the formats that it may have."""


def outline(document: dict[str, Any]) -> Outline:
    """The index of a document; what it lacks stays empty."""
    info = mapping(document.get("info"))
    return Outline.of(
        [head for head, *_ in islice(_operations(document), MAX_ENTRIES + 1)],
        [line(name) for name in islice(schemas(document), MAX_ENTRIES + 1)],
        title=line(info.get("title")),
        description=html(info.get("description")),
        servers=[line(mapping(item).get("url")) for item in items(document.get("servers"))],
    )


def part(document: dict[str, Any], kind: str, name: str) -> Part:
    """The `operation` of that id, or the `schema` of that name."""
    rows = SchemaRows(document)
    if kind == "schema":
        return rows.part(name)
    for head, node, shared in _operations(document):
        if head.id == name:
            operation = _operation(rows, head, node, shared)
            return Part(operation, exists=True, truncated=rows.is_full)
    return Part()


def _operations(
    document: dict[str, Any],
) -> Iterator[tuple[OperationHead, Mapping[str, Any], list[Any]]]:
    """Each operation's head and content, and the parameters of its path."""
    rows, ids = SchemaRows(document), Ids()
    for path, value in mapping(document.get("paths")).items():
        item = rows.resolve(value)
        shared = items(item.get("parameters"))
        for method in METHODS:
            if node := mapping(item.get(method)):
                yield _head(ids.make(f"{method} {path}"), method, path, node), node, shared


def _head(name: str, method: str, path: str, node: Mapping[str, Any]) -> OperationHead:
    tags = items(node.get("tags"))
    return OperationHead(
        id=name,
        tag=line(tags[0]) if tags else "Operations",
        method=method,
        path=line(path),
        summary=line(node.get("summary")),
        deprecated=node.get("deprecated") is True,
    )


def _operation(
    rows: SchemaRows, head: OperationHead, node: Mapping[str, Any], shared: list[Any]
) -> Operation:
    parameters = [*shared, *items(node.get("parameters"))][:MAX_ROWS]
    answers = mapping(node.get("responses")).items()
    said = node.get("description")
    return Operation(
        **asdict(head),
        # Generators write the summary once more.
        description="" if line(said) == head.summary else html(said),
        parameters=[_parameter(rows.resolve(item)) for item in parameters],
        bodies=_bodies(rows, rows.resolve(node.get("requestBody"))),
        answers=[_answer(rows, status, item) for status, item in islice(answers, MAX_ROWS)],
    )


def _answer(rows: SchemaRows, status: str, item: Any) -> Answer:
    found = rows.resolve(item)
    return Answer(line(status), html(found.get("description")), _bodies(rows, found))


def _bodies(rows: SchemaRows, holder: Mapping[str, Any]) -> list[Body]:
    return [
        rows.body(media_type, mapping(mapping(media).get("schema")))
        for media_type, media in islice(mapping(holder.get("content")).items(), _MAX_BODIES)
    ]


def _parameter(found: Mapping[str, Any]) -> Row:
    schema = mapping(found.get("schema"))
    return Row(
        name=line(found.get("name")),
        type=type_name(schema),
        required=found.get("required") is True,
        description=html(found.get("description") or schema.get("description")),
        place=line(found.get("in")),
    )
