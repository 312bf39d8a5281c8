"""Limits that a schema sets on values."""

from collections.abc import Iterator
from typing import Any

from app.openapi.diff.changes import Change, Direction, narrowed
from app.openapi.diff.shapes import Shape, canonical

_LOWER = ("minLength", "minItems", "minProperties")
_UPPER = ("maxLength", "maxItems", "maxProperties")
# Whether a change of these allows more or less cannot be decided in general.
_OPAQUE = (
    *("not", "if", "then", "else", "prefixItems", "contains", "minContains", "maxContains"),
    *("patternProperties", "propertyNames", "dependentRequired", "dependentSchemas"),
    *("unevaluatedProperties", "unevaluatedItems", "contentEncoding", "contentMediaType"),
)
_WIDER_FORMATS = {("int32", "int64"), ("float", "double")}


def compare_limits(old: Shape, new: Shape, direction: Direction) -> Iterator[Change]:
    """Differences in what values are within the limits."""
    for name in (*_LOWER, *_UPPER):
        sign = 1 if name in _LOWER else -1
        yield from _bound(name, _number(old, name, sign), _number(new, name, sign), direction)
    for name, sign in (("minimum", 1), ("maximum", -1)):
        yield from _bound(name, _edge(old, name, sign), _edge(new, name, sign), direction)
    yield from _pattern(old, new, direction)
    yield from _format(old, new, direction)
    yield from _whole(old, new, direction)


Bound = tuple[float, bool] | None
"""A lower bound, so that a greater one is narrower, and whether it is excluded itself."""


def _number(shape: Shape, name: str, sign: int) -> Bound:
    value = shape.rest.get(name)
    return (sign * value, False) if isinstance(value, int | float) else None


def _edge(shape: Shape, name: str, sign: int) -> Bound:
    exclusive = shape.rest.get(f"exclusive{name.title()}")
    inclusive = _number(shape, name, sign)
    if exclusive is True:
        return inclusive and (inclusive[0], True)
    if isinstance(exclusive, int | float) and not isinstance(exclusive, bool):
        return max((sign * exclusive, True), inclusive or (float("-inf"), False))
    return inclusive


def _bound(name: str, old: Bound, new: Bound, direction: Direction) -> Iterator[Change]:
    if old == new:
        return
    lowest = (float("-inf"), False)
    is_narrower = (new or lowest) > (old or lowest)
    message = f"{name} was {_show(old)} and is {_show(new)}"
    yield narrowed("limit-changed", direction, message, is_narrower=is_narrower)


def _show(bound: Bound) -> str:
    if bound is None:
        return "not set"
    value = abs(bound[0])
    return f"{value:g}{' (excluded)' if bound[1] else ''}"


def _pattern(old: Shape, new: Shape, direction: Direction) -> Iterator[Change]:
    before, after = old.rest.get("pattern"), new.rest.get("pattern")
    if before == after:
        return
    message = f"pattern was {before or 'not set'} and is {after or 'not set'}"
    if before and after:
        yield Change("pattern-changed", True, "", message)
    else:
        yield narrowed("pattern-changed", direction, message, is_narrower=after is not None)


def _format(old: Shape, new: Shape, direction: Direction) -> Iterator[Change]:
    before, after = old.rest.get("format"), new.rest.get("format")
    if before == after:
        return
    message = f"format was {before or 'not set'} and is {after or 'not set'}"
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
        message = f"multipleOf was {before or 'not set'} and is {after or 'not set'}"
        if before and after:
            yield Change("multiple-changed", True, "", message)
        else:
            yield narrowed("multiple-changed", direction, message, is_narrower=after is not None)
    for name in _OPAQUE:
        if canonical(old.rest.get(name)) != canonical(new.rest.get(name)):
            yield Change("constraint-changed", True, "", f"{name} changed")
    yield from _default(old.rest, new.rest, direction)


def _default(old: dict[str, Any], new: dict[str, Any], direction: Direction) -> Iterator[Change]:
    if "default" in old and "default" in new and old["default"] != new["default"]:
        before, after = canonical(old["default"]), canonical(new["default"])
        message = f"the default was {before} and is {after}"
        # Who leaves it out gets something else than before.
        yield Change("default-changed", direction is Direction.REQUEST, "", message)
