"""What differs between the inputs of two states of a resource, each value as text."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_SECRET_KEY = "4dabf18193072939515e22adb298388d"
_OWN_INPUTS = {"__defaults", "__provider"}
"""Pulumi's, beside those of the program."""


@dataclass(frozen=True)
class Difference:
    """One property: its path and both values as text."""

    path: str
    old: str
    new: str

    @property
    def top(self) -> str:
        """The property at the top: `ports` of `ports[0].ip`."""
        return self.path.partition(".")[0].partition("[")[0]


def compare(path: str, old: Any, new: Any) -> Iterator[Difference]:
    """What differs, at the deepest path; of lists, which the provider sorts, their items."""
    if isinstance(old, Mapping) and isinstance(new, Mapping) and _SECRET_KEY not in old:
        for key in sorted({*old, *new} - _OWN_INPUTS):
            inner = f"{path}.{key}" if path else key
            yield from compare(inner, old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list):
        gone = [item for item in old if item not in new]
        come = [item for item in new if item not in old]
        if gone or come:
            yield Difference(path, _show_items(gone), _show_items(come))
    elif old != new:
        yield Difference(path, show(old), show(new))


def _show_items(items: list[Any]) -> str:
    return ", ".join(map(show, items)) or "nothing"


def show(value: Any) -> str:
    """A value in a line, without a secret."""
    if value is None:
        return "nothing"
    if value == _UNKNOWN:
        return "(known after the update)"
    if isinstance(value, dict) and _SECRET_KEY in value:
        return "[secret]"
    if isinstance(value, dict):
        items = (f"{k}: {show(item)}" for k, item in value.items() if k != "__defaults")
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(show, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
