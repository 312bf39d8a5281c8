"""Differences between two schemas."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from app.openapi.diff.alternatives import AlternativesDiff
from app.openapi.diff.changes import Change, Direction, Part, listed, narrowed
from app.openapi.diff.limits import compare_constraints, compare_limits
from app.openapi.diff.shapes import ANY_TYPES, Shape, Shapes, canonical, types_of
from app.outline import mapping

# One object: beside a schema that contains itself it stands at every depth.
_ANYTHING: dict[str, Any] = {}


@dataclass(slots=True, eq=False)
class Pair:
    """A schema of the old document and its counterpart, as one side sees them.

    Parameters
    ----------
    name
        Of the named schema that it is; empty for one that stands inside of something else.
    changes
        Its own, without those of its parts.
    shown_at
        A bit for each part of an operation that leads to it.
    """

    name: str
    changes: list[Change] = field(default_factory=list)
    parts: list[tuple[str, "Pair"]] = field(default_factory=list)
    shown_at: int = 0

    def owned(self) -> tuple[list[Change], list["Pair"]]:
        """Its changes with those of nameless schemas inside of it, and the named ones it leads to.

        The shallow ones come first, and none is missing however many there are.
        """
        changes, named = list[Change](), list[Pair]()
        pending, seen = deque[tuple[str, Pair]]([("", self)]), set[Pair]([self])
        while pending:
            place, pair = pending.popleft()
            changes += (change.at(place) for change in pair.changes)
            for step, part in pair.parts:
                if part not in seen:
                    seen.add(part)
                    if part.name:
                        named.append(part)
                    else:
                        pending.append((place + step, part))
        return changes, named


class SchemaDiff:
    """Compares schemas of two documents, each pair once."""

    def __init__(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        self._old_shapes = Shapes(old)
        self._new_shapes = Shapes(new)
        self._alternatives = AlternativesDiff(self._old_shapes, self._new_shapes)
        self._known: dict[tuple[int, int, Direction], Pair] = {}
        # With the schemas: a number is another object's as soon as its own is gone.
        self._pending: deque[tuple[Any, Any, Direction, Pair]] = deque()
        self._compared: list[tuple[Any, Any]] = []

    def pair(self, part: Part) -> Pair:
        """Of a part; what differs in it is known after `compare`."""
        before, after = self._old_shapes.resolve(part.old), self._new_shapes.resolve(part.new)
        key = (id(before), id(after), part.direction)
        if key not in self._known:
            self._known[key] = Pair(self._name(before, after))
            self._pending.append((before, after, part.direction, self._known[key]))
            self._compared.append((before, after))
        return self._known[key]

    def _name(self, before: Any, after: Any) -> str:
        was, is_now = self._old_shapes.name_of(before), self._new_shapes.name_of(after)
        if not was or not is_now:
            return ""
        return is_now if was == is_now else f"{is_now} (was {was})"

    def compare(self) -> None:
        """Compare all pairs, and those that they lead to."""
        while self._pending:
            before, after, direction, pair = self._pending.popleft()
            for found in self._compare(before, after, direction):
                if isinstance(found, Part):
                    pair.parts.append((found.place, self.pair(found)))
                else:
                    pair.changes.append(found)

    def _compare(self, before: Any, after: Any, direction: Direction) -> Iterator[Change | Part]:
        old, new = self._old_shapes.shape_of(before), self._new_shapes.shape_of(after)
        if old.alternatives or new.alternatives:
            yield from self._alternatives.compare(old, new, before, after, direction)
            if bool(old.alternatives) != bool(new.alternatives):
                return
        yield from _types(old, new, direction)
        if not types_of(old) & types_of(new) - {"null"}:
            # Nothing of the one is left in the other; further differences would only repeat that.
            return
        yield from _values(old, new, direction)
        yield from compare_limits(old, new, direction)
        yield from compare_constraints(old, new, direction)
        if new.rest.get("deprecated") is True and old.rest.get("deprecated") is not True:
            yield Change("deprecated", False, "", "it is now deprecated")
        yield from self._properties(old, new, direction)
        yield from self._additional(old, new, direction)
        if {"array"} <= old.types & new.types and ("items" in old.rest or "items" in new.rest):
            before, after = old.rest.get("items", _ANYTHING), new.rest.get("items", _ANYTHING)
            yield Part("[]", before, after, direction)

    def _properties(self, old: Shape, new: Shape, direction: Direction) -> Iterator[Change | Part]:
        is_old, is_new = self._old_shapes.is_shown, self._new_shapes.is_shown
        before = {name: s for name, s in old.properties.items() if is_old(s, direction)}
        after = {name: s for name, s in new.properties.items() if is_new(s, direction)}
        for name, schema in before.items():
            place = f".{name}"
            if name not in after:
                said = "accepted" if direction is Direction.REQUEST else "returned"
                yield Change("property-removed", True, place, f"'{name}' is no longer {said}")
                continue
            yield Part(place, schema, after[name], direction)
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

    def _additional(self, old: Shape, new: Shape, direction: Direction) -> Iterator[Change | Part]:
        before = old.rest.get("additionalProperties", True)
        after = new.rest.get("additionalProperties", True)
        if (before is False) != (after is False):
            is_closed = after is False
            message = f"other properties are now {'refused' if is_closed else 'allowed'}"
            # Clients must ignore what they do not know, so a response may be opened.
            breaking = is_closed and direction is Direction.REQUEST
            yield Change("additional-properties-changed", breaking, "", message)
        elif isinstance(before, dict) or isinstance(after, dict):
            yield Part(".*", mapping(before) or _ANYTHING, mapping(after) or _ANYTHING, direction)


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
    message = f"it was {_name_types(before)} and is {_name_types(after)}"
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
        message = f"{listed(gone)} can no longer occur"
        yield narrowed("enum-value-removed", direction, message, is_narrower=True)
    if come := [key for key in after if key not in before]:
        message = f"{listed(come)} can now occur"
        yield narrowed("enum-value-added", direction, message, is_narrower=False)


def _name_types(types: Iterable[str]) -> str:
    """Types as a reader names them."""
    found = set(types)
    if found >= ANY_TYPES:
        return "anything"
    if "number" in found:
        found.discard("integer")
    return " or ".join(sorted(found)) or "nothing"
