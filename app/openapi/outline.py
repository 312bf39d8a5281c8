"""An OpenAPI document as pages show it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import islice
from typing import Any

from app.openapi import operations
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
        [head for head, _ in islice(_heads(document), MAX_ENTRIES + 1)],
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
    for head, found in _heads(document):
        if head.id == name:
            operation = _operation(rows, head, found)
            return Part(operation, exists=True, truncated=rows.is_full)
    return Part()


def _heads(document: dict[str, Any]) -> Iterator[tuple[OperationHead, operations.Operation]]:
    ids = Ids()
    for found in operations.operations(document):
        tags = items(found.node.get("tags"))
        head = OperationHead(
            id=ids.make(f"{found.method} {found.path}"),
            tag=line(tags[0]) if tags else "Operations",
            method=found.method,
            path=line(found.path),
            summary=line(found.node.get("summary")),
            deprecated=found.node.get("deprecated") is True,
        )
        yield head, found


def _operation(rows: SchemaRows, head: OperationHead, found: operations.Operation) -> Operation:
    said = found.node.get("description")
    return Operation(
        **asdict(head),
        # Generators write the summary once more.
        description="" if line(said) == head.summary else html(said),
        parameters=[_parameter(one) for one in islice(found.parameters.values(), MAX_ROWS)],
        bodies=_bodies(rows, mapping(found.body)),
        answers=[
            _answer(rows, status, mapping(response))
            for status, response in islice(found.responses.items(), MAX_ROWS)
        ],
    )


def _answer(rows: SchemaRows, status: str, found: Mapping[str, Any]) -> Answer:
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
