"""The field table of a resource type: what a change of each property does."""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Normalise = Callable[[Any], Any]
"""Turns a value into a form in which equal settings are equal; never given None or UNKNOWN."""


class OnChange(enum.Enum):
    """What a changed property does to the resource."""

    REPLACE = "replace"
    UPDATE = "update"
    """Changed in place, or no more than a setting of how Pulumi handles the resource."""
    IGNORE = "ignore"
    """No reason to do anything."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One input property.

    Attributes
    ----------
    on_change
        What a new value does.
    on_removal
        What taking the property out of the program does; None: the same as a new value.
    default
        Value of a property that is not given.
    sticky
        Taking it out of the program changes nothing, because the engine chooses a value anyway
        (Optional and Computed in the Terraform provider).
    normalise
        Makes equal settings equal; `plain` compares values as they are.
    nested_defaults
        Values of properties that are not given, in the object or in each object of the list.
    unsupported
        Why this provider refuses the property; None if it supports it.
    """

    on_change: OnChange
    on_removal: OnChange | None = None
    default: Any = None
    sticky: bool = False
    normalise: Normalise | None = None
    nested_defaults: dict[str, Any] | None = None
    unsupported: str | None = None


def replaces(**more: Any) -> Field:
    """A property whose change replaces the resource."""
    return Field(on_change=OnChange.REPLACE, **more)


def updates(**more: Any) -> Field:
    """A property whose change is made in place."""
    return Field(on_change=OnChange.UPDATE, **more)


def updates_or_replaces(**more: Any) -> Field:
    """A property that the engine can change in place, but not take back."""
    return Field(on_change=OnChange.UPDATE, on_removal=OnChange.REPLACE, **more)


def unsupported(reason: str) -> Field:
    """A property that this provider refuses."""
    return Field(on_change=OnChange.REPLACE, unsupported=reason)


def is_empty(value: Any) -> bool:
    """Whether a value means the same as leaving the property out: zero, false, nothing in it."""
    return value is None or (isinstance(value, (str, int, float, list, dict)) and not value)


def unordered(value: list[Any]) -> list[Any]:
    """A list whose order has no meaning."""
    return sorted(value, key=repr)


def compacted(value: Any) -> Any:
    """Without entries that mean the same as leaving them out, at any depth."""
    if isinstance(value, dict):
        items = {key: compacted(value[key]) for key in sorted(value) if not key.startswith("__")}
        return {key: item for key, item in items.items() if not is_empty(item)}
    if isinstance(value, list):
        return [compacted(item) for item in value]
    return value


def unordered_objects(value: list[Any]) -> list[Any]:
    """Objects in a list whose order has no meaning."""
    return unordered(compacted(value))
