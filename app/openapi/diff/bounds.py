"""Bounds that a schema sets on values: from below, and from above as from below of the opposite."""

from collections.abc import Iterator, Mapping
from math import ceil, floor, isfinite
from typing import Any

from app.openapi.diff.changes import Change, Direction, narrowed

Bound = tuple[float, bool]
"""A lower bound, so that a greater one is narrower, and whether it is excluded itself."""
_SIZES = ("minLength", "minItems", "minProperties")
_SIGNS = {
    **dict.fromkeys((*_SIZES, "minimum"), 1),
    **dict.fromkeys(("maxLength", "maxItems", "maxProperties", "maximum"), -1),
}
_EXCLUSIVE = {"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}
KEYWORDS = {*_SIGNS, *_EXCLUSIVE.values()}


def bounds_of(schema: Mapping[str, Any]) -> dict[str, Bound]:
    """Those that are set, by their names."""
    if KEYWORDS.isdisjoint(schema):
        return {}
    found = {name: max(_set(schema, name, sign), default=None) for name, sign in _SIGNS.items()}
    return {name: bound for name, bound in found.items() if bound is not None}


def _set(schema: Mapping[str, Any], name: str, sign: int) -> Iterator[Bound]:
    value, exclusive = schema.get(name), schema.get(_EXCLUSIVE.get(name, ""))
    if isinstance(value, int | float):
        yield sign * value, exclusive is True
    # OpenAPI 3.1 has a number where 3.0 has true.
    if isinstance(exclusive, int | float) and not isinstance(exclusive, bool):
        yield sign * exclusive, True


def compare_bounds(
    old: Mapping[str, Bound], new: Mapping[str, Bound], direction: Direction, *, is_whole: bool
) -> Iterator[Change]:
    """Differences in what values, or what whole numbers, are within the bounds."""
    for name in _SIGNS if old or new else ():
        # To set what holds anyway is no change.
        default = (0 if name in _SIZES else float("-inf"), False)
        before, after = old.get(name, default), new.get(name, default)
        if is_whole:
            before, after = _least(before), _least(after)
        if before != after:
            message = f"{name} was {_show(name, old)} and is {_show(name, new)}"
            yield narrowed("limit-changed", direction, message, is_narrower=after > before)


def _least(bound: Bound) -> Bound:
    """The same bound of whole numbers: above 0 is from 1 on."""
    value, is_excluded = bound
    if isinstance(value, float) and not isfinite(value):
        return bound
    return (floor(value) + 1 if is_excluded else ceil(value)), False


def _show(name: str, bounds: Mapping[str, Bound]) -> str:
    if name not in bounds:
        return "not set"
    value, is_excluded = bounds[name]
    return f"{_SIGNS[name] * value}{' (excluded)' if is_excluded else ''}"
