"""Limits that a schema sets on values."""

from collections.abc import Iterator
from typing import Any

from app.openapi.diff.bounds import compare_bounds
from app.openapi.diff.changes import Change, Direction, Part, narrowed
from app.openapi.diff.shapes import OPAQUE, Shape, canonical
from app.outline import items, mapping

_WIDER_FORMATS = (("int32", "int64"), ("float", "double"))
_WITH_ONE = {
    *("not", "if", "then", "else", "contains"),
    *("propertyNames", "unevaluatedProperties", "unevaluatedItems"),
}
_WITH_NAMED = {"patternProperties", "dependentSchemas"}
_RULES = {
    "pattern": "pattern-changed",
    "format": "format-changed",
    "multipleOf": "multiple-changed",
}


def compare_limits(old: Shape, new: Shape, direction: Direction) -> Iterator[Change]:
    """Differences in what values are within the limits."""
    is_whole = "number" not in old.types | new.types
    yield from compare_bounds(old.bounds, new.bounds, direction, is_whole=is_whole)
    for name, rule in _RULES.items():
        before, after = old.rest.get(name), new.rest.get(name)
        if before != after:
            message = f"{name} was {_show(before)} and is {_show(after)}"
            yield _replaced(rule, before, after, direction, message)
    if bool(old.rest.get("uniqueItems")) != bool(new.rest.get("uniqueItems")):
        is_unique = bool(new.rest.get("uniqueItems"))
        message = f"items {'must now' if is_unique else 'need no longer'} be unique"
        yield narrowed("unique-items-changed", direction, message, is_narrower=is_unique)
    yield from _default(old.rest, new.rest, direction)


def compare_constraints(old: Shape, new: Shape, direction: Direction) -> Iterator[Change | Part]:
    """Differences in what cannot be judged, and schemas of the same place in it."""
    for name in OPAQUE:
        if name not in old.rest and name not in new.rest:
            continue
        before, after = _each(old.rest.get(name)), _each(new.rest.get(name))
        inside = [_schemas(name, value) for value in before]
        others = [_schemas(name, value) for value in after]
        is_one = len(before) == len(after) == 1 and inside[0].keys() == others[0].keys()
        if not (is_one and inside[0]) and canonical(before) != canonical(after):
            yield Change("constraint-changed", True, "", f"{name} changed")
            continue
        for one, other in zip(inside, others, strict=True):
            for place, schema in one.items():
                for way in _ways(name, direction):
                    yield Part(place, schema, other[place], way)


def _each(value: Any) -> tuple[Any, ...]:
    """What a keyword is in each part of a schema that has it."""
    return value if isinstance(value, tuple) else (value,)


def _schemas(name: str, value: Any) -> dict[str, Any]:
    """Schemas inside of a keyword, by their places."""
    if name in _WITH_ONE:
        return {f" {name}": value} if isinstance(value, dict) else {}
    if name in _WITH_NAMED:
        return {f".{key}": schema for key, schema in mapping(value).items()}
    if name == "prefixItems":
        return {f"[{index}]": schema for index, schema in enumerate(items(value))}
    return {}


def _ways(name: str, direction: Direction) -> tuple[Direction, ...]:
    if name == "not":
        return (direction.opposite,)
    # What no longer fulfils a condition has to fulfil the other part.
    return (direction, direction.opposite) if name == "if" else (direction,)


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
