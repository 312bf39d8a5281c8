"""The schemas of a document as rows of a table."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import islice
from typing import Any

from app.lines import clean_line, shorten
from app.openapi.references import last_name, resolve
from app.outline import MAX_CHARACTERS, MAX_ROWS, Body, Part, Row, html, items, line, mapping

_MAX_TYPE_CHARACTERS = 200
_MAX_DEPTH = 4
_SCHEMAS = "#/components/schemas"


class SchemaRows:
    """Reads each schema once, from however many places it is referred to."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._rows: dict[int, list[Row]] = {}
        self._left = MAX_CHARACTERS

    @property
    def is_full(self) -> bool:
        """Whether a page has no room for more."""
        return self._left < 0

    def body(self, media_type: str, schema: Mapping[str, Any]) -> Body:
        """What is sent in one format, with its properties unless a page of their own has them."""
        name = schema_name(schema)
        rows = [] if name else self.properties(self.resolve(schema))
        self._left -= sum(len(str(asdict(row))) for row in rows)
        return Body(line(media_type), type_name(schema), name, [] if self.is_full else rows)

    def properties(self, schema: Mapping[str, Any]) -> list[Row]:
        """The properties of a schema and of all that it is made of."""
        if id(schema) not in self._rows:
            self._rows[id(schema)] = list(islice(self._properties(schema), MAX_ROWS))
        return self._rows[id(schema)]

    def part(self, name: str) -> Part:
        """The schema of that name."""
        found = {line(key): schema for key, schema in schemas(self._document).items()}
        schema = mapping(found.get(name))
        said = html(schema.get("description"))
        return Part(rows=self.properties(schema), exists=name in found, description=said)

    def resolve(self, value: Any) -> Mapping[str, Any]:
        """What it is, or leads to."""
        return mapping(resolve(self._document, value))

    def _properties(self, schema: Mapping[str, Any]) -> Iterator[Row]:
        for part in self._parts(schema):
            required = {*map(str, items(part.get("required")))}
            for name, value in mapping(part.get("properties")).items():
                said = mapping(value)
                text = html(said.get("description") or said.get("title"))
                yield Row(
                    line(name), type_name(said), name in required, text, "", schema_name(said)
                )

    def _parts(self, schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """The schema and everything it is made of, each once."""
        pending, seen = deque([schema]), set[int]()
        while pending:
            part = pending.popleft()
            if id(part) not in seen:
                seen.add(id(part))
                yield part
                pending.extend(map(self.resolve, items(part.get("allOf"))))


def schemas(document: dict[str, Any]) -> Mapping[str, Any]:
    """Those that have names."""
    return mapping(mapping(document.get("components")).get("schemas"))


def type_name(schema: Mapping[str, Any]) -> str:
    """What a schema takes, in a few words: `array of Line`."""
    return clean_line(shorten(_type_at(schema, 0), _MAX_TYPE_CHARACTERS))


def _type_at(schema: Mapping[str, Any], depth: int) -> str:
    if depth > _MAX_DEPTH:
        return "…"
    if "$ref" in schema:
        return last_name(str(schema["$ref"]))
    for word, joint in (("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")):
        if options := items(schema.get(word)):
            shown = options[:_MAX_TYPE_CHARACTERS]
            return joint.join(_type_at(mapping(item), depth + 1) for item in shown)
    kind = schema.get("type", "any")
    name = " or ".join(map(str, kind)) if isinstance(kind, list) else str(kind)
    if name == "array":
        return f"array of {_type_at(mapping(schema.get('items')), depth + 1)}"
    if values := items(schema.get("enum")):
        return " | ".join(map(str, values[:12]))
    return f"{name} ({schema['format']})" if "format" in schema else name


def schema_name(schema: Mapping[str, Any]) -> str:
    """The named schema behind a type, also behind an array of it."""
    found = schema if "$ref" in schema else mapping(schema.get("items"))
    reference = str(found.get("$ref", ""))
    return line(last_name(reference)) if reference.rpartition("/")[0] == _SCHEMAS else ""
