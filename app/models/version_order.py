"""The order of versions as people number them: 1.9 before 1.10, 2.0.0-rc.1 before 2.0.0."""

import re
from collections.abc import Collection

_PARTS = re.compile(r"[0-9]+|[A-Za-z]+")
_Part = tuple[int, int, str]
_END: _Part = (1, 0, "")


def version_order(version: str) -> list[_Part]:
    """Sorts versions: numbers by their value, and what has words behind it before what has none."""
    plain = version.partition("+")[0]
    parts = _PARTS.findall(plain.removeprefix("v"))
    found = [(2, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts]
    return [*found, _END]


def predecessor(version: str, others: Collection[str]) -> str | None:
    """The version itself if it is there, else the highest one below it."""
    if version in others:
        return version
    own = version_order(version)
    below = [other for other in others if version_order(other) < own]
    return max(below, key=version_order, default=None)
