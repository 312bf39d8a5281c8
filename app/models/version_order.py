"""Which version of an interface is the latest: the highest, whenever it was uploaded."""

import re
from collections.abc import Collection
from typing import Any

_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(.*)")
_NUMBERED = re.compile(r"v?(\d+(?:\.\d+)*)(?:-([^+]+)|([A-Za-z][^+]*))?(?:\+.*)?", re.IGNORECASE)
_DIGITS = re.compile(r"(\d+)")
Rank = tuple[Any, ...]


def version_rank(name: str) -> Rank:
    """What versions are ordered by: dates and numbers above other names.

    Numbers are compared as Semantic Versioning 2.0 does: a pre-release stands below its release,
    and what follows a `+` does not count. `v2` and `1.4` count too, as does `v1beta2`.
    """
    if found := _DATE.fullmatch(name):
        *date, rest = found.groups()
        return 1, [*map(int, date)], not rest.startswith("-"), [], _natural(rest)
    if found := _NUMBERED.fullmatch(name):
        numbers, dashed, attached = found.groups()
        return 1, _numbers(numbers), not (dashed or attached), _identifiers(dashed), _natural(name)
    return 0, _natural(name)


def predecessor(version: str, others: Collection[str]) -> str | None:
    """The version itself if it is there, else the highest one below it."""
    if version in others:
        return version
    own = version_rank(version)
    below = [other for other in others if version_rank(other) < own]
    return max(below, key=version_rank, default=None)


def _numbers(text: str) -> list[int]:
    found = [*map(int, text.split("."))]
    while found and found[-1] == 0:
        found.pop()
    return found


def _identifiers(text: str | None) -> list[tuple[int, int, str]]:
    parts = text.split(".") if text else []
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def _natural(text: str) -> list[tuple[int, int, str]]:
    """`release-10` after `release-9`."""
    parts = filter(None, _DIGITS.split(text))
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part.lower()) for part in parts]
