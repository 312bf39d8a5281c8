"""Differences between two schemas."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from app.openapi.diff.changes import Change, Direction, narrowed
from app.openapi.diff.limits import compare_limits
from app.openapi.diff.shapes import (
    Shape,
    Shapes,
    canonical,
    name_types,
    types_of,
)
from app.openapi.references import resolve

_MAX_CHANGES = 200
"""Of one schema: those of a part are listed again at every place that uses it."""

_MAX_SHOWN_VALUES = 10


class SchemaDiff:
    """Compares schemas of two documents, each pair once."""

    def __init__(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        self._old = old
        self._new = new
        self._old_shapes = Shapes(old)
        self._new_shapes = Shapes(new)
        self._known: dict[tuple[int, int, Direction], list[Change]] = {}
        # A number is another object's as soon as its own is gone.
        self._compared: list[tuple[Any, Any]] = []

    def compare(self, old: Any, new: Any, direction: Direction) -> list[Change]:
        """Differences, each with its place inside the schema."""
        before, after = resolve(self._old, old), resolve(self._new, new)
        pair = (id(before), id(after), direction)
        if pair not in self._known:
            # A pair inside itself has no further differences.
            self._known[pair] = []
            self._compared.append((before, after))
            found = self._compare(before, after, direction)
            self._known[pair] = list(islice(found, _MAX_CHANGES))
        return self._known[pair]

    def _compare(self, before: Any, after: Any, direction: Direction) -> Iterator[Change]:
        old, new = self._old_shapes.shape_of(before), self._new_shapes.shape_of(after)
        if old.alternatives or new.alternatives:
            yield from self._alternatives(old, new, before, after, direction)
            if bool(old.alternatives) != bool(new.alternatives):
                return
        yield from _types(old, new, direction)
        if not types_of(old) & types_of(new) - {"null"}:
            # Nothing of the one is left in the other; further differences would only repeat that.
            return
        yield from _values(old, new, direction)
        yield from compare_limits(old, new, direction)
        if new.rest.get("deprecated") is True and old.rest.get("deprecated") is not True:
            yield Change("deprecated", False, "", "it is now deprecated")
        yield from self._properties(old, new, direction)
        yield from self._additional(old, new, direction)
        if {"array"} <= old.types & new.types and ("items" in old.rest or "items" in new.rest):
            items = self.compare(old.rest.get("items", {}), new.rest.get("items", {}), direction)
            yield from (change.at("[]") for change in items)

    def _properties(self, old: Shape, new: Shape, direction: Direction) -> Iterator[Change]:
        is_old, is_new = self._old_shapes.is_shown, self._new_shapes.is_shown
        before = {name: s for name, s in old.properties.items() if is_old(s, direction)}
        after = {name: s for name, s in new.properties.items() if is_new(s, direction)}
        for name, schema in before.items():
            place = f".{name}"
            if name not in after:
                said = "accepted" if direction is Direction.REQUEST else "returned"
                yield Change("property-removed", True, place, f"'{name}' is no longer {said}")
                continue
            found = self.compare(schema, after[name], direction)
            yield from (change.at(place) for change in found)
            yield from _required(name, name in old.required, name in new.required, direction)
        for name in after:
            if name not in before:
                must = direction is Direction.REQUEST and name in new.required
                rule = "property-required" if must else "property-added"
                said = f"'{name}' is now required" if must else f"'{name}' is new"
                yield Change(rule, must, f".{name}", said)
        for name in sorted((new.required - old.required) - before.keys() - after.keys()):
            if direction is Direction.REQUEST and name not in new.properties:
                yield Change("property-required", True, f".{name}", f"'{name}' is now required")

    def _additional(self, old: Shape, new: Shape, direction: Direction) -> Iterator[Change]:
        before = old.rest.get("additionalProperties", True)
        after = new.rest.get("additionalProperties", True)
        if (before is False) != (after is False):
            is_closed = after is False
            message = f"other properties are now {'refused' if is_closed else 'allowed'}"
            # Clients must ignore what they do not know, so a response may be opened.
            breaking = is_closed and direction is Direction.REQUEST
            yield Change("additional-properties-changed", breaking, "", message)
        elif isinstance(before, dict) or isinstance(after, dict):
            found = self.compare(_schema(before), _schema(after), direction)
            yield from (change.at(".*") for change in found)

    def _alternatives(
        self, old: Shape, new: Shape, before: Any, after: Any, direction: Direction
    ) -> Iterator[Change]:
        gone = list(old.alternatives or [before])
        come = list(new.alternatives or [after])
        for one, other in _pair(gone, come):
            yield from self.compare(one, other, direction)
        for schema in gone:
            message = f"{_name(schema)} is no longer an alternative"
            yield narrowed("alternative-removed", direction, message, is_narrower=True)
        for schema in come:
            message = f"{_name(schema)} is a new alternative"
            yield narrowed("alternative-added", direction, message, is_narrower=False)
        key = ("discriminator", {})
        if old.rest.get(*key).get("propertyName") != new.rest.get(*key).get("propertyName"):
            yield Change("discriminator-changed", True, "", "another property tells them apart")


def _pair(gone: list[Any], come: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Alternatives that belong together, taken out of both lists.

    First by the name that they are referred by, then those that are equal; where one of each is
    left it is the same one, changed.
    """
    for key in (_reference, canonical):
        by_key = {key(schema): schema for schema in come if key(schema)}
        pairs = [(schema, by_key.pop(key(schema), None)) for schema in gone]
        found = [(old, new) for old, new in pairs if new is not None]
        taken = {id(schema) for pair in found for schema in pair}
        gone[:] = [schema for schema in gone if id(schema) not in taken]
        come[:] = [schema for schema in come if id(schema) not in taken]
        yield from found
    if len(gone) == len(come) == 1 and not (_reference(gone[0]) and _reference(come[0])):
        yield gone.pop(), come.pop()


def _reference(schema: Any) -> str | None:
    return schema.get("$ref") if isinstance(schema, dict) else None


def _name(schema: Any) -> str:
    reference = _reference(schema)
    if reference:
        return f"'{reference.rpartition('/')[2]}'"
    title = schema.get("title") or schema.get("type") if isinstance(schema, dict) else None
    return f"'{title}'" if title else "a schema"


def _schema(value: Any) -> Any:
    return value if isinstance(value, dict) else {}


def _required(name: str, was: bool, is_now: bool, direction: Direction) -> Iterator[Change]:
    if was == is_now:
        return
    said = {
        (Direction.REQUEST, True): ("property-required", f"'{name}' is now required"),
        (Direction.REQUEST, False): ("property-optional", f"'{name}' is now optional"),
        (Direction.RESPONSE, True): ("property-required", f"'{name}' is now always present"),
        (Direction.RESPONSE, False): ("property-optional", f"'{name}' may now be missing"),
    }
    rule, message = said[direction, is_now]
    yield narrowed(rule, direction, message, is_narrower=is_now, where=f".{name}")


def _types(old: Shape, new: Shape, direction: Direction) -> Iterator[Change]:
    before, after = types_of(old), types_of(new)
    if before == after:
        return
    message = f"it was {name_types(before)} and is {name_types(after)}"
    if before < after or after < before:
        yield narrowed("type-changed", direction, message, is_narrower=after < before)
    else:
        yield Change("type-changed", True, "", message)


def _values(old: Shape, new: Shape, direction: Direction) -> Iterator[Change]:
    if old.values is None and new.values is None:
        return
    if old.values is None or new.values is None:
        is_narrower = old.values is None
        message = f"the values are {'now' if is_narrower else 'no longer'} restricted to a list"
        yield narrowed("enum-changed", direction, message, is_narrower=is_narrower)
        return
    before = {canonical(value): value for value in old.values}
    after = {canonical(value): value for value in new.values}
    if gone := [key for key in before if key not in after]:
        message = f"{_list(gone)} can no longer occur"
        yield narrowed("enum-value-removed", direction, message, is_narrower=True)
    if come := [key for key in after if key not in before]:
        message = f"{_list(come)} can now occur"
        yield narrowed("enum-value-added", direction, message, is_narrower=False)


def _list(values: list[str]) -> str:
    more = len(values) - _MAX_SHOWN_VALUES
    return ", ".join(values[:_MAX_SHOWN_VALUES]) + (f" and {more} more" if more > 0 else "")
