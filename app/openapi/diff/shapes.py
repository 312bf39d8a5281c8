"""A schema in one form, whichever version of OpenAPI it is written in."""

import json
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from app.openapi.diff.changes import Direction
from app.openapi.references import resolve

ANY_TYPES = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})
_MAX_MERGED = 200
"""Schemas that one is made of."""


@dataclass
class Shape:
    """The keywords of a schema, with `allOf` merged and references followed at the top.

    Parameters
    ----------
    alternatives
        Of `oneOf` or `anyOf`; empty for none.
    rest
        Every other keyword as it stands.
    """

    types: frozenset[str] = ANY_TYPES
    values: list[Any] | None = None
    properties: dict[str, Any] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    alternatives: list[Any] = field(default_factory=list)
    rest: dict[str, Any] = field(default_factory=dict)


class Shapes:
    """Shapes of one document's schemas; those that are merged from several are made once."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        # With the schema: a number is another object's as soon as its own is gone.
        self._known: dict[int, tuple[Any, Shape]] = {}

    def shape_of(self, schema: Any) -> Shape:
        """The shape of a schema of the document; not to be changed."""
        whole = resolve(self._document, schema)
        if not isinstance(whole, dict) or "allOf" not in whole:
            return self._make(whole)
        if id(whole) not in self._known:
            self._known[id(whole)] = whole, self._make(whole)
        return self._known[id(whole)][1]

    def _make(self, whole: Any) -> Shape:
        """Merged from its parts; one that several of them lead to counts once."""
        shape = Shape()
        pending, seen = deque([whole]), dict[int, Any]()
        while pending and len(seen) < _MAX_MERGED:
            part = resolve(self._document, pending.popleft())
            if id(part) in seen:
                continue
            seen[id(part)] = part
            if part is False:
                shape.types = frozenset()
            if not isinstance(part, dict):
                continue
            part = _without_optional_null(self._document, part)
            pending.extend(part.get("allOf", []))
            _merge(shape, part)
        return shape

    def is_shown(self, schema: Any, direction: Direction) -> bool:
        """Whether a property occurs in this direction at all."""
        keyword = "readOnly" if direction is Direction.REQUEST else "writeOnly"
        return self.shape_of(schema).rest.get(keyword) is not True


def _without_optional_null(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """`anyOf` of something and null, as OpenAPI 3.1 writes `nullable`, as one schema."""
    for keyword in ("anyOf", "oneOf"):
        found = schema.get(keyword)
        if not isinstance(found, list):
            continue
        others = [item for item in found if resolve(document, item) != {"type": "null"}]
        if len(others) == 1 and len(found) == 2:
            rest = {name: value for name, value in schema.items() if name != keyword}
            return {**rest, "allOf": [*rest.get("allOf", []), others[0]], "x-or-null": True}
    return schema


def _merge(shape: Shape, part: dict[str, Any]) -> None:
    shape.types &= _types(part)
    if part.get("x-or-null"):
        shape.rest["x-or-null"] = True
    values = [part["const"]] if "const" in part else part.get("enum")
    if isinstance(values, list):
        allowed = {canonical(value) for value in values}
        narrowed = [value for value in shape.values or values if canonical(value) in allowed]
        shape.values = narrowed
    shape.properties |= part.get("properties") or {}
    shape.required |= set(part.get("required") or ())
    shape.alternatives = part.get("oneOf") or part.get("anyOf") or shape.alternatives
    shape.rest |= {name: value for name, value in part.items() if name not in _TAKEN}


_TAKEN = {
    *("type", "nullable", "enum", "const", "properties", "required", "allOf", "oneOf", "anyOf"),
    *("$ref", "x-or-null"),
}


def _types(schema: dict[str, Any]) -> frozenset[str]:
    given = schema.get("type")
    if given is None:
        return ANY_TYPES
    named = given if isinstance(given, list) else [given]
    types = {item for item in named if isinstance(item, str)}
    if "number" in types:
        types.add("integer")
    if schema.get("nullable") is True:
        types.add("null")
    return frozenset(types)


def types_of(shape: Shape) -> frozenset[str]:
    """The types, with null where an alternative of null was taken out."""
    return shape.types | {"null"} if shape.rest.get("x-or-null") else shape.types


def name_types(types: Iterable[str]) -> str:
    """Types as a reader names them."""
    found = set(types)
    if found >= ANY_TYPES:
        return "anything"
    if "number" in found:
        found.discard("integer")
    return " or ".join(sorted(found)) or "nothing"


def canonical(value: Any) -> str:
    """The same text for equal JSON."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
