"""Limits that a schema sets on values."""

from collections.abc import Iterator
from typing import Any

from app.openapi.diff.bounds import compare_bounds
from app.openapi.diff.changes import Change, Direction, narrowed
from app.openapi.diff.shapes import OPAQUE, Shape, canonical

_WIDER_FORMATS = {("int32", "int64"), ("float", "double")}


def compare_limits(old: Shape, new: Shape, direction: Direction) -> Iterator[Change]:
    """Differences in what values are within the limits."""
    yield from compare_bounds(old.bounds, new.bounds, direction)
    yield from _pattern(old, new, direction)
    yield from _format(old, new, direction)
    yield from _whole(old, new, direction)


def _was(name: str, before: Any, after: Any) -> str:
    return f"{name} was {_show(before)} and is {_show(after)}"


def _show(value: Any) -> Any:
    if isinstance(value, tuple):
        return " and ".join(map(str, value))
    return "not set" if value is None else value


def _pattern(old: Shape, new: Shape, direction: Direction) -> Iterator[Change]:
    before, after = old.rest.get("pattern"), new.rest.get("pattern")
    if before == after:
        return
    message = _was("pattern", before, after)
    if before and after:
        yield Change("pattern-changed", True, "", message)
    else:
        yield narrowed("pattern-changed", direction, message, is_narrower=after is not None)


def _format(old: Shape, new: Shape, direction: Direction) -> Iterator[Change]:
    before, after = old.rest.get("format"), new.rest.get("format")
    if before == after:
        return
    message = _was("format", before, after)
    if before is None or after is None:
        is_narrower = before is None
        yield narrowed("format-changed", direction, message, is_narrower=is_narrower)
    elif (before, after) in _WIDER_FORMATS or (after, before) in _WIDER_FORMATS:
        is_narrower = (after, before) in _WIDER_FORMATS
        yield narrowed("format-changed", direction, message, is_narrower=is_narrower)
    else:
        yield Change("format-changed", True, "", message)


def _whole(old: Shape, new: Shape, direction: Direction) -> Iterator[Change]:
    if bool(old.rest.get("uniqueItems")) != bool(new.rest.get("uniqueItems")):
        is_unique = bool(new.rest.get("uniqueItems"))
        message = f"items {'must now' if is_unique else 'need no longer'} be unique"
        yield narrowed("unique-items-changed", direction, message, is_narrower=is_unique)
    before, after = old.rest.get("multipleOf"), new.rest.get("multipleOf")
    if before != after:
        message = _was("multipleOf", before, after)
        if before and after:
            yield Change("multiple-changed", True, "", message)
        else:
            yield narrowed("multiple-changed", direction, message, is_narrower=after is not None)
    for name in OPAQUE:
        before, after = old.rest.get(name), new.rest.get(name)
        if before is not after and canonical(before) != canonical(after):
            yield Change("constraint-changed", True, "", f"{name} changed")
    yield from _default(old.rest, new.rest, direction)


def _default(old: dict[str, Any], new: dict[str, Any], direction: Direction) -> Iterator[Change]:
    if "default" in old and "default" in new and old["default"] != new["default"]:
        before, after = canonical(old["default"]), canonical(new["default"])
        message = f"the default was {before} and is {after}"
        # Who leaves it out gets something else than before.
        yield Change("default-changed", direction is Direction.REQUEST, "", message)
