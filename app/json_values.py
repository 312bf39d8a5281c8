"""JSON that PostgreSQL can hold."""

import re
from collections.abc import Iterable
from math import isfinite

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def json_mistake(value: object, *, max_depth: int) -> str | None:
    """Why PostgreSQL would not take this as JSON; None if it would."""
    level: list[object] = [value]
    for _ in range(max_depth + 1):
        for text in (item for item in level if isinstance(item, str)):
            if _UNSTORABLE.search(text):
                return "should have no NUL and no unpaired surrogate"
        if any(isinstance(item, float) and not isfinite(item) for item in level):
            return "should have finite numbers only"
        level = [part for item in level for part in _parts(item)]
        if not level:
            return None
    return f"should be nested at most {max_depth} deep"


def _parts(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return (*value.keys(), *value.values())
    return value if isinstance(value, list) else ()
