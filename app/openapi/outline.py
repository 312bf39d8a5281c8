"""An OpenAPI document as pages show it: an index, and each operation and schema by itself."""

import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from app.lines import clean_line, shorten
from app.markdown import render_description
from app.openapi.references import resolve

MAX_ENTRIES = 10_000
"""Operations, and schemas, of an index: far more than the largest public documents have."""
MAX_CHARACTERS = 2_000_000
"""Of a page: what many responses refer to stands at each of them."""
_MAX_TEXT_CHARACTERS = 5000
_MAX_TYPE_CHARACTERS = 200
_MAX_ROWS = 500
"""Of one table, and of the parts of one operation."""
_MAX_BODIES = 20
"""Of one request or response: the formats that it may have."""
_MAX_ID_CHARACTERS = 120
_MAX_DEPTH = 4
_METHODS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")
_NOT_IN_ID = re.compile("[^a-z0-9]+")


@dataclass(frozen=True)
class Row:
    """A parameter, or a property of a schema."""

    name: str
    type: str
    required: bool
    description: str
    """Safe HTML, as all descriptions here."""
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
class OperationHead:
    """One method of one path, as the index shows it."""

    id: str
    """Its part of an address: `get-orders-id`."""
    tag: str
    method: str
    path: str
    summary: str
    deprecated: bool


@dataclass(frozen=True)
class Operation(OperationHead):
    """The same with everything that a client has to know."""

    description: str
    parameters: list[Row]
    bodies: list[Body]
    answers: list[Answer]


@dataclass(frozen=True)
class Outline:
    """What there is in a document."""

    title: str
    description: str
    servers: list[str]
    operations: list[OperationHead]
    schemas: list[str]
    truncated: bool


@dataclass
class Part:
    """An operation or a schema; neither if the document has none of that name."""

    operation: Operation | None = None
    rows: list[Row] = field(default_factory=list)
    exists: bool = False
    truncated: bool = False


def outline(document: dict[str, Any]) -> Outline:
    """The index of a document; what it lacks stays empty."""
    info = _mapping(document.get("info"))
    heads = [head for head, *_ in islice(_operations(document), MAX_ENTRIES + 1)]
    schemas = [*islice(_schemas(document), MAX_ENTRIES + 1)]
    return Outline(
        title=_line(info.get("title")),
        description=_html(info.get("description")),
        servers=[_line(_mapping(item).get("url")) for item in _list(document.get("servers"))],
        operations=heads[:MAX_ENTRIES],
        schemas=[_line(name) for name in schemas[:MAX_ENTRIES]],
        truncated=max(len(heads), len(schemas)) > MAX_ENTRIES,
    )


def part(document: dict[str, Any], kind: str, name: str) -> Part:
    """The `operation` of that id, or the `schema` of that name."""
    reader = _Reader(document)
    if kind == "schema":
        found = {_line(key): schema for key, schema in _schemas(document).items()}
        rows = reader.properties(_mapping(found.get(name)))
        return Part(rows=rows, exists=name in found)
    for head, node, shared in _operations(document):
        if head.id == name:
            operation = reader.operation(head, node, shared)
            return Part(operation, exists=True, truncated=reader.is_full)
    return Part()


def _schemas(document: dict[str, Any]) -> Mapping[str, Any]:
    return _mapping(_mapping(document.get("components")).get("schemas"))


def _operations(
    document: dict[str, Any],
) -> Iterator[tuple[OperationHead, Mapping[str, Any], list[Any]]]:
    """Each operation's head and content, and the parameters of its path."""
    seen = Counter[str]()
    for path, value in _mapping(document.get("paths")).items():
        item = _mapping(resolve(document, value))
        shared = _list(item.get("parameters"))
        for method in _METHODS:
            if node := _mapping(item.get(method)):
                name = _NOT_IN_ID.sub("-", f"{method} {path}".lower()).strip("-")
                name = name[:_MAX_ID_CHARACTERS]
                seen[name] += 1
                # Two dashes: no other name has them.
                number = f"--{seen[name]}" if seen[name] > 1 else ""
                yield _head(f"{name}{number}", method, path, node), node, shared


def _head(name: str, method: str, path: str, node: Mapping[str, Any]) -> OperationHead:
    tags = _list(node.get("tags"))
    return OperationHead(
        id=name,
        tag=_line(tags[0]) if tags else "Operations",
        method=method,
        path=_line(path),
        summary=_line(node.get("summary")),
        deprecated=node.get("deprecated") is True,
    )


class _Reader:
    """Reads each schema once, from however many places it is referred to."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._rows: dict[int, list[Row]] = {}
        self._left = MAX_CHARACTERS

    @property
    def is_full(self) -> bool:
        """Whether a page has no room for more."""
        return self._left < 0

    def operation(
        self, head: OperationHead, node: Mapping[str, Any], shared: list[Any]
    ) -> Operation:
        parameters = [*shared, *_list(node.get("parameters"))][:_MAX_ROWS]
        answers = _mapping(node.get("responses")).items()
        return Operation(
            **asdict(head),
            description=_html(node.get("description")),
            parameters=[_parameter(self._resolve(item)) for item in parameters],
            bodies=self._bodies(self._resolve(node.get("requestBody"))),
            answers=[self._answer(status, item) for status, item in islice(answers, _MAX_ROWS)],
        )

    def _answer(self, status: str, item: Any) -> Answer:
        found = self._resolve(item)
        return Answer(_line(status), _html(found.get("description")), self._bodies(found))

    def _bodies(self, holder: Mapping[str, Any]) -> list[Body]:
        return [
            self._body(media_type, _mapping(_mapping(media).get("schema")))
            for media_type, media in islice(_mapping(holder.get("content")).items(), _MAX_BODIES)
        ]

    def _body(self, media_type: str, schema: Mapping[str, Any]) -> Body:
        name = _schema_name(schema)
        rows = [] if name else self.properties(schema)
        self._left -= sum(len(str(asdict(row))) for row in rows)
        return Body(_line(media_type), _type(schema), name, [] if self.is_full else rows)

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
                text = _html(said.get("description") or said.get("title"))
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
        description=_html(found.get("description") or schema.get("description")),
        place=_line(found.get("in")),
    )


def _type(schema: Mapping[str, Any]) -> str:
    return clean_line(shorten(_type_at(schema, 0), _MAX_TYPE_CHARACTERS))


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


def _html(value: Any) -> str:
    return render_description(_text(value))


def _text(value: Any) -> str:
    return "" if value is None else shorten(str(value), _MAX_TEXT_CHARACTERS)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
