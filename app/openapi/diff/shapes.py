"""A schema in one form, whichever version of OpenAPI it is written in."""

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from app.openapi.diff.bounds import KEYWORDS, Bound, bounds_of
from app.openapi.diff.changes import Direction
from app.openapi.references import resolve
from app.outline import items, mapping

ANY_TYPES = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})
# Whether a change of these allows more or less cannot be decided in general.
OPAQUE = (
    *("not", "if", "then", "else", "prefixItems", "contains", "minContains", "maxContains"),
    *("patternProperties", "propertyNames", "dependentRequired", "dependentSchemas"),
    *("unevaluatedProperties", "unevaluatedItems", "contentEncoding", "contentMediaType"),
)
_CHOICES = ("oneOf", "anyOf")
# Of several parts: these hold if any says so, and what these are is kept of each.
_FLAGS = {"readOnly", "writeOnly", "deprecated", "uniqueItems"}
_KEPT = {"pattern", "format", "multipleOf", "default", *OPAQUE}
_INNER = ("items", "additionalProperties")
_COMPARED = {*_KEPT, *_FLAGS, *_INNER}
_TAKEN = {
    *("type", "nullable", "enum", "const", "properties", "required", "allOf", *_CHOICES),
    *("$ref", "x-or-null"),
}
_MEANT = frozenset({*_COMPARED, *_TAKEN, *KEYWORDS} - {"$ref"})
"""What holds as well as a reference that it stands beside, as OpenAPI 3.1 has it."""
_NOTHING: dict[str, Any] = {"type": []}
"""What `false` is."""
NULL = {"type": "null"}
_MAX_MERGED = 200
"""Schemas that one is made of."""
_MAX_REPEATED = 100_000
"""Descriptions of what several parts describe; beyond them the first one counts. Schemas that name
each other can be put together in 2^n ways."""

Choice = tuple[str, list[Any]]
"""`oneOf` or `anyOf`, and its alternatives."""


@dataclass
class Shape:
    """The keywords of a schema, with `allOf` merged and references followed at the top.

    Of a keyword that is not what it has to be there is nothing: not every schema is checked.

    Parameters
    ----------
    alternatives
        Of each `oneOf` and `anyOf`: one of every list has to fit.
    bounds
        The strictest, by their names.
    rest
        Every other keyword: as it stands, or a tuple of what it is in several parts.
    """

    types: frozenset[str] = ANY_TYPES
    values: list[Any] | None = None
    properties: dict[str, Any] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    alternatives: list[Choice] = field(default_factory=list)
    bounds: dict[str, Bound] = field(default_factory=dict)
    rest: dict[str, Any] = field(default_factory=dict)


class Shapes:
    """Shapes of one document's schemas; those that are merged from several are made once."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        named = (document.get("components") or {}).get("schemas") or {}
        self._names = {id(schema): str(name) for name, schema in named.items()}
        # With the schema: a number is another object's as soon as its own is gone.
        self._known: dict[int, tuple[Any, Shape]] = {}
        self._whole: dict[int, tuple[Any, dict[str, Any]]] = {}
        self._left = _MAX_REPEATED
        # Made here, by the number of what they are made of; each once, as the comparison ends where
        # it comes to what it has compared.
        self._together: dict[frozenset[int], dict[str, Any]] = {}
        self._plain: dict[int, dict[str, Any]] = {}
        self._stripped: dict[int, dict[str, Any]] = {}
        is_3_0 = str(document.get("openapi")).startswith("3.0.")
        self._beside_references = frozenset[str]() if is_3_0 else _MEANT

    def name_of(self, schema: Any) -> str:
        """Of the named schema that it is or refers to; empty for none."""
        return self._names.get(id(resolve(self._document, schema)), "")

    def resolve(self, schema: Any) -> Any:
        """The schema that it is or refers to, with what stands beside the reference."""
        found = resolve(self._document, schema, beside=self._beside_references)
        if not isinstance(found, dict) or not isinstance(found.get("$ref"), str):
            return found
        if id(found) not in self._whole:
            beside = {name: value for name, value in found.items() if name != "$ref"}
            whole = {**beside, "allOf": [*items(beside.get("allOf")), {"$ref": found["$ref"]}]}
            self._whole[id(found)] = (found, whole)
        return self._whole[id(found)][1]

    def shape_of(self, schema: Any) -> Shape:
        """The shape of a schema of the document; not to be changed."""
        whole = self.resolve(schema)
        if not isinstance(whole, dict) or "allOf" not in whole:
            return self._make(whole)
        if id(whole) not in self._known:
            self._known[id(whole)] = whole, self._make(whole)
        return self._known[id(whole)][1]

    def within(self, whole: Any, alternative: Any) -> Any:
        """An alternative with what stands beside its list; as it is where that says no more."""
        shape = self.shape_of(whole)
        said = (shape.properties, shape.required, shape.bounds, shape.rest.keys() & _COMPARED)
        is_said = shape.values is not None or any(said)
        if not is_said and self.shape_of(alternative).types <= shape.types:
            return alternative
        return self._all_of([alternative, *map(self._beside, self._parts(whole))])

    def _beside(self, part: dict[str, Any]) -> dict[str, Any]:
        dropped = {"allOf", *_CHOICES}
        found = {name: value for name, value in part.items() if name not in dropped}
        return self._stripped.setdefault(id(part), found)

    def _make(self, whole: Any) -> Shape:
        shape, parts = Shape(), self._parts(whole)
        for part in parts:
            _merge(shape, part)
        if len(parts) > 1:
            self._merge_inner(shape, parts)
        return shape

    def _parts(self, whole: Any) -> list[dict[str, Any]]:
        """What it is merged from; a part that several of them lead to counts once."""
        parts = list[dict[str, Any]]()
        pending, seen = deque([whole]), dict[int, Any]()
        while pending and len(seen) < _MAX_MERGED:
            part = self.resolve(pending.popleft())
            if id(part) in seen:
                continue
            seen[id(part)] = part
            if isinstance(part, dict):
                parts.append(self._without_optional_null(part))
                pending.extend(items(parts[-1].get("allOf")))
            elif part is False:
                parts.append(_NOTHING)
        return parts

    def _without_optional_null(self, schema: dict[str, Any]) -> dict[str, Any]:
        """`anyOf` of something and null, as OpenAPI 3.1 writes `nullable`, as one schema."""
        for keyword in _CHOICES:
            found = schema.get(keyword)
            if not isinstance(found, list):
                continue
            others = [item for item in found if self.resolve(item) != NULL]
            if len(others) == 1 and len(found) == 2:
                rest = {name: value for name, value in schema.items() if name != keyword}
                plain = {**rest, "allOf": [*items(rest.get("allOf")), others[0]], "x-or-null": True}
                return self._plain.setdefault(id(schema), plain)
        return schema

    def _merge_inner(self, shape: Shape, parts: list[dict[str, Any]]) -> None:
        """What several parts describe has to be as each of them says."""
        properties: dict[str, list[Any]] = {}
        for part in parts:
            for name, schema in mapping(part.get("properties")).items():
                properties.setdefault(name, []).append(schema)
        shape.properties = {name: self._all_of(found) for name, found in properties.items()}
        for name in _INNER:
            if found := [part[name] for part in parts if name in part]:
                shape.rest[name] = self._all_of(found)

    def _all_of(self, schemas: list[Any]) -> Any:
        """One schema that is all of these: the same one for the same schemas."""
        if len(schemas) == 1 or self._left < len(schemas):
            return schemas[0]
        self._left -= len(schemas)
        parts = {id(part): part for part in map(self.resolve, schemas)}
        if len(parts) == 1:
            return schemas[0]
        if any(part is False for part in parts.values()):
            return False
        return self._together.setdefault(frozenset(parts), {"allOf": [*parts.values()]})

    def is_shown(self, schema: Any, direction: Direction) -> bool:
        """Whether a property occurs in this direction at all."""
        keyword = "readOnly" if direction is Direction.REQUEST else "writeOnly"
        return self.shape_of(schema).rest.get(keyword) is not True


def _merge(shape: Shape, part: dict[str, Any]) -> None:
    shape.types &= _types(part)
    if part.get("x-or-null"):
        shape.rest["x-or-null"] = True
    values = [part["const"]] if "const" in part else part.get("enum")
    if isinstance(values, list):
        allowed = {canonical(value) for value in values}
        known = values if shape.values is None else shape.values
        shape.values = [value for value in known if canonical(value) in allowed]
    shape.properties |= mapping(part.get("properties"))
    shape.required |= {name for name in items(part.get("required")) if isinstance(name, str)}
    shape.alternatives += [(word, part[word]) for word in _CHOICES if items(part.get(word))]
    for name, bound in bounds_of(part).items():
        shape.bounds[name] = max(bound, shape.bounds.get(name, bound))
    given = {name: value for name, value in part.items() if name not in _TAKEN}
    for name in shape.rest.keys() & given.keys():
        given[name] = _both(name, shape.rest[name], given[name])
    shape.rest |= given


def _both(name: str, known: Any, new: Any) -> Any:
    """What a keyword is that two parts have."""
    if name in _FLAGS:
        return known is True or new is True
    if name not in _KEPT:
        return new
    values = {canonical(one): one for one in (known if isinstance(known, tuple) else (known,))}
    values[canonical(new)] = new
    # In the same order, whichever of the parts comes first.
    return tuple(values[text] for text in sorted(values)) if len(values) > 1 else known


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


def canonical(value: Any) -> str:
    """The same text for equal JSON."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
