"""An OpenAPI document as a page shows it: operations by tag, and the schemas they name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_OPERATIONS = 400
"""A page with more would be too slow for browsers; the document itself has them all."""
_METHODS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")
_MAX_DEPTH = 4


@dataclass(frozen=True)
class Row:
    """A parameter, or a property of a schema."""

    name: str
    type: str
    required: bool
    description: str
    place: str = ""
    schema: str = ""
    """Name of the schema with the details."""


@dataclass(frozen=True)
class Body:
    """The body of a request or response in one format."""

    media_type: str
    type: str
    schema: str
    rows: list[Row]


@dataclass(frozen=True)
class Answer:
    """One response."""

    status: str
    description: str
    bodies: list[Body]


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    summary: str
    description: str
    deprecated: bool
    parameters: list[Row]
    bodies: list[Body]
    answers: list[Answer]


@dataclass
class Reading:
    """Everything the page shows."""

    title: str
    description: str
    servers: list[str]
    groups: dict[str, list[Operation]] = field(default_factory=dict)
    schemas: dict[str, list[Row]] = field(default_factory=dict)
    truncated: bool = False


def read(document: Mapping[str, Any]) -> Reading:
    """Make a document readable; what it lacks stays empty."""
    info = _mapping(document.get("info"))
    servers = [str(_mapping(item).get("url", "")) for item in _list(document.get("servers"))]
    reading = Reading(str(info.get("title", "")), str(info.get("description", "")), servers)
    for count, (tag, operation) in enumerate(_operations(document)):
        if count >= MAX_OPERATIONS:
            reading.truncated = True
            break
        reading.groups.setdefault(tag, []).append(operation)
    schemas = _mapping(_mapping(document.get("components")).get("schemas"))
    for name, schema in list(schemas.items())[:MAX_OPERATIONS]:
        reading.schemas[name] = _properties(document, _mapping(schema))
    return reading


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, Operation]]:
    for path, item in _mapping(document.get("paths")).items():
        shared = _list(_mapping(item).get("parameters"))
        for method in _METHODS:
            operation = _mapping(_mapping(item).get(method))
            if operation:
                tags = _list(operation.get("tags"))
                tag = str(tags[0]) if tags else "Operations"
                yield tag, _operation(document, path, method, operation, shared)


def _operation(
    document: Mapping[str, Any],
    path: str,
    method: str,
    operation: Mapping[str, Any],
    shared: list[Any],
) -> Operation:
    parameters = [*shared, *_list(operation.get("parameters"))]
    request = _resolve(document, operation.get("requestBody"))
    answers = _mapping(operation.get("responses")).items()
    return Operation(
        method=method,
        path=path,
        summary=str(operation.get("summary", "")),
        description=str(operation.get("description", "")),
        deprecated=operation.get("deprecated") is True,
        parameters=[_parameter(_resolve(document, item)) for item in parameters],
        bodies=_bodies(document, request),
        answers=[_answer(document, str(status), item) for status, item in answers],
    )


def _parameter(found: Mapping[str, Any]) -> Row:
    schema = _mapping(found.get("schema"))
    return Row(
        name=str(found.get("name", "")),
        type=_type(schema),
        required=found.get("required") is True,
        description=str(found.get("description") or schema.get("description") or ""),
        place=str(found.get("in", "")),
    )


def _answer(document: Mapping[str, Any], status: str, item: Any) -> Answer:
    found = _resolve(document, item)
    return Answer(status, str(found.get("description", "")), _bodies(document, found))


def _bodies(document: Mapping[str, Any], holder: Mapping[str, Any]) -> list[Body]:
    return [
        _body(document, media_type, _mapping(_mapping(media).get("schema")))
        for media_type, media in _mapping(holder.get("content")).items()
    ]


def _body(document: Mapping[str, Any], media_type: str, schema: Mapping[str, Any]) -> Body:
    name = _schema_name(schema)
    rows = [] if name else _properties(document, schema)
    return Body(media_type, _type(schema), name, rows)


def _properties(document: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Row]:
    found: list[Row] = []
    for part in _parts(document, schema, 0):
        required = _list(part.get("required"))
        for name, value in _mapping(part.get("properties")).items():
            said = _mapping(value)
            text = str(said.get("description") or said.get("title") or "")
            found.append(Row(name, _type(said), name in required, text, "", _schema_name(said)))
    return found


def _parts(
    document: Mapping[str, Any], schema: Mapping[str, Any], depth: int
) -> Iterator[Mapping[str, Any]]:
    """The schema and everything it is made of; one that is made of itself ends somewhere."""
    if depth > _MAX_DEPTH:
        return
    yield schema
    for part in _list(schema.get("allOf")):
        yield from _parts(document, _resolve(document, part), depth + 1)


def _type(schema: Mapping[str, Any], depth: int = 0) -> str:
    if depth > _MAX_DEPTH:
        return "…"
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for word, joint in (("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")):
        if options := _list(schema.get(word)):
            return joint.join(_type(_mapping(item), depth + 1) for item in options)
    kind = schema.get("type", "any")
    name = " or ".join(map(str, kind)) if isinstance(kind, list) else str(kind)
    if name == "array":
        return f"array of {_type(_mapping(schema.get('items')), depth + 1)}"
    if values := _list(schema.get("enum")):
        return " | ".join(map(str, values[:12]))
    return f"{name} ({schema['format']})" if "format" in schema else name


def _schema_name(schema: Mapping[str, Any]) -> str:
    """The named schema behind a type, also behind an array of it."""
    found = schema if "$ref" in schema else _mapping(schema.get("items"))
    reference = str(found.get("$ref", ""))
    prefix = "#/components/schemas/"
    return reference.removeprefix(prefix) if reference.startswith(prefix) else ""


def _resolve(document: Mapping[str, Any], value: Any) -> Mapping[str, Any]:
    """What a reference within the document points to; one step, as references to them are rare."""
    found = _mapping(value)
    reference = str(found.get("$ref", ""))
    if not reference.startswith("#/"):
        return found
    target: Any = document
    for part in reference[2:].split("/"):
        target = _mapping(target).get(part.replace("~1", "/").replace("~0", "~"))
    return _mapping(target)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
