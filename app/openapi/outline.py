"""An OpenAPI document as a page shows it: operations by tag, and the schemas they name."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from app.lines import clean_line
from app.openapi.references import resolve

MAX_OPERATIONS = 400
"""A page with more would be too slow for browsers; the document itself has them all."""
MAX_CHARACTERS = 2_000_000
"""Of a page: what many operations refer to stands at each of them."""
_MAX_TEXT_CHARACTERS = 5000
_MAX_TYPE_CHARACTERS = 200
_MAX_ROWS = 500
"""Of one table, and of the parts of one operation."""
_MAX_BODIES = 20
"""Of one request or response: the formats that it may have."""
_MAX_DEPTH = 4
_METHODS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")


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
class Outline:
    """Everything the page shows."""

    title: str
    description: str
    servers: list[str]
    groups: dict[str, list[Operation]] = field(default_factory=dict)
    schemas: dict[str, list[Row]] = field(default_factory=dict)
    truncated: bool = False


def outline(document: dict[str, Any]) -> Outline:
    """Make a document readable; what it lacks stays empty."""
    info = _mapping(document.get("info"))
    servers = [_line(_mapping(item).get("url")) for item in _list(document.get("servers"))]
    found = Outline(_line(info.get("title")), _text(info.get("description")), servers)
    reader, room = _Reader(document), _Room()
    for tag, operation in islice(reader.operations(), MAX_OPERATIONS + 1):
        if room.is_full(operation) or sum(map(len, found.groups.values())) == MAX_OPERATIONS:
            found.truncated = True
            break
        found.groups.setdefault(tag, []).append(operation)
    schemas = _mapping(_mapping(document.get("components")).get("schemas"))
    for name, schema in islice(schemas.items(), MAX_OPERATIONS):
        rows = reader.properties(_mapping(schema))
        if room.is_full(*rows):
            found.truncated = True
            break
        found.schemas[_line(name)] = rows
    return found


class _Room:
    """What is left of a page."""

    def __init__(self) -> None:
        self._left = MAX_CHARACTERS

    def is_full(self, *parts: Row | Operation) -> bool:
        """Whether there is no room for these parts any more."""
        self._left -= sum(len(str(asdict(part))) for part in parts)
        return self._left < 0


class _Reader:
    """Reads each schema once, from however many places it is referred to."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._rows: dict[int, list[Row]] = {}

    def operations(self) -> Iterator[tuple[str, Operation]]:
        for path, item in _mapping(self._document.get("paths")).items():
            shared = _list(_mapping(item).get("parameters"))
            for method in _METHODS:
                operation = _mapping(_mapping(item).get(method))
                if operation:
                    tags = _list(operation.get("tags"))
                    tag = _line(tags[0]) if tags else "Operations"
                    yield tag, self._operation(path, method, operation, shared)

    def _operation(
        self, path: str, method: str, operation: Mapping[str, Any], shared: list[Any]
    ) -> Operation:
        parameters = [*shared, *_list(operation.get("parameters"))][:_MAX_ROWS]
        answers = _mapping(operation.get("responses")).items()
        return Operation(
            method=method,
            path=_line(path),
            summary=_line(operation.get("summary")),
            description=_text(operation.get("description")),
            deprecated=operation.get("deprecated") is True,
            parameters=[_parameter(self._resolve(item)) for item in parameters],
            bodies=self._bodies(self._resolve(operation.get("requestBody"))),
            answers=[self._answer(status, item) for status, item in islice(answers, _MAX_ROWS)],
        )

    def _answer(self, status: str, item: Any) -> Answer:
        found = self._resolve(item)
        return Answer(_line(status), _text(found.get("description")), self._bodies(found))

    def _bodies(self, holder: Mapping[str, Any]) -> list[Body]:
        return [
            self._body(media_type, _mapping(_mapping(media).get("schema")))
            for media_type, media in islice(_mapping(holder.get("content")).items(), _MAX_BODIES)
        ]

    def _body(self, media_type: str, schema: Mapping[str, Any]) -> Body:
        name = _schema_name(schema)
        rows = [] if name else self.properties(schema)
        return Body(_line(media_type), _type(schema), name, rows)

    def properties(self, schema: Mapping[str, Any]) -> list[Row]:
        """The properties of a schema and of all that it is made of."""
        if id(schema) not in self._rows:
            self._rows[id(schema)] = list(islice(self._properties(schema), _MAX_ROWS))
        return self._rows[id(schema)]

    def _properties(self, schema: Mapping[str, Any]) -> Iterator[Row]:
        for part in self._parts(schema):
            required = {*map(str, _list(part.get("required")))}
            for name, value in _mapping(part.get("properties")).items():
                said = _mapping(value)
                text = _text(said.get("description") or said.get("title"))
                yield Row(_line(name), _type(said), name in required, text, "", _schema_name(said))

    def _parts(self, schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """The schema and everything it is made of, each once."""
        pending, seen = deque([schema]), set[int]()
        while pending:
            part = pending.popleft()
            if id(part) not in seen:
                seen.add(id(part))
                yield part
                pending.extend(map(self._resolve, _list(part.get("allOf"))))

    def _resolve(self, value: Any) -> Mapping[str, Any]:
        return _mapping(resolve(self._document, value))


def _parameter(found: Mapping[str, Any]) -> Row:
    schema = _mapping(found.get("schema"))
    return Row(
        name=_line(found.get("name")),
        type=_type(schema),
        required=found.get("required") is True,
        description=_text(found.get("description") or schema.get("description")),
        place=_line(found.get("in")),
    )


def _type(schema: Mapping[str, Any]) -> str:
    return clean_line(_short(_type_at(schema, 0), _MAX_TYPE_CHARACTERS))


def _type_at(schema: Mapping[str, Any], depth: int) -> str:
    if depth > _MAX_DEPTH:
        return "…"
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for word, joint in (("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")):
        if options := _list(schema.get(word)):
            shown = options[:_MAX_TYPE_CHARACTERS]
            return joint.join(_type_at(_mapping(item), depth + 1) for item in shown)
    kind = schema.get("type", "any")
    name = " or ".join(map(str, kind)) if isinstance(kind, list) else str(kind)
    if name == "array":
        return f"array of {_type_at(_mapping(schema.get('items')), depth + 1)}"
    if values := _list(schema.get("enum")):
        return " | ".join(map(str, values[:12]))
    return f"{name} ({schema['format']})" if "format" in schema else name


def _schema_name(schema: Mapping[str, Any]) -> str:
    """The named schema behind a type, also behind an array of it."""
    found = schema if "$ref" in schema else _mapping(schema.get("items"))
    reference = str(found.get("$ref", ""))
    prefix = "#/components/schemas/"
    return _line(reference.removeprefix(prefix)) if reference.startswith(prefix) else ""


def _line(value: Any) -> str:
    return clean_line(_text(value))


def _text(value: Any) -> str:
    return "" if value is None else _short(str(value), _MAX_TEXT_CHARACTERS)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
