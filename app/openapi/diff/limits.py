"""Limits that a schema sets on values."""

from collections.abc import Iterator
from typing import Any

from app.openapi.diff.bounds import compare_bounds
from app.openapi.diff.changes import Change, Direction, narrowed
from app.openapi.diff.shapes import OPAQUE, Shape, canonical

_WIDER_FORMATS = (("int32", "int64"), ("float", "double"))
_RULES = {
    "pattern": "pattern-changed",
    "format": "format-changed",
    "multipleOf": "multiple-changed",
}


def compare_limits(old: Shape, new: Shape, direction: Direction) -> Iterator[Change]:
    """Differences in what values are within the limits."""
    yield from compare_bounds(old.bounds, new.bounds, direction)
    for name, rule in _RULES.items():
        before, after = old.rest.get(name), new.rest.get(name)
        if before != after:
            message = f"{name} was {_show(before)} and is {_show(after)}"
            yield _replaced(rule, before, after, direction, message)
    if bool(old.rest.get("uniqueItems")) != bool(new.rest.get("uniqueItems")):
        is_unique = bool(new.rest.get("uniqueItems"))
        message = f"items {'must now' if is_unique else 'need no longer'} be unique"
        yield narrowed("unique-items-changed", direction, message, is_narrower=is_unique)
    for name in OPAQUE:
        before, after = old.rest.get(name), new.rest.get(name)
        if before is not after and canonical(before) != canonical(after):
            yield Change("constraint-changed", True, "", f"{name} changed")
    yield from _default(old.rest, new.rest, direction)


def _replaced(rule: str, before: Any, after: Any, direction: Direction, message: str) -> Change:
    """Of two values it is not known which one lets more through, but for some formats."""
    if before is None or (after, before) in _WIDER_FORMATS:
        return narrowed(rule, direction, message, is_narrower=True)
    if after is None or (before, after) in _WIDER_FORMATS:
        return narrowed(rule, direction, message, is_narrower=False)
    return Change(rule, True, "", message)


def _show(value: Any) -> Any:
    if isinstance(value, tuple):
        return " and ".join(map(str, value))
    return "not set" if value is None else value


def _default(old: dict[str, Any], new: dict[str, Any], direction: Direction) -> Iterator[Change]:
    if "default" in old and "default" in new and old["default"] != new["default"]:
        before, after = canonical(old["default"]), canonical(new["default"])
        message = f"the default was {before} and is {after}"
        # Who leaves it out gets something else than before.
        yield Change("default-changed", direction is Direction.REQUEST, "", message)
