"""Compares what is with what the program wants, by the field table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from plugins.docker.fields import Field, OnChange, compacted, is_empty
from plugins.docker.values import Values, has_unknown

DEFAULTS_KEY = "__defaults"
"""Input under which Pulumi's own providers note which properties the user did not give."""


@dataclass(frozen=True)
class Change:
    """A property that differs.

    Attributes
    ----------
    replaces
        Whether it replaces the resource.
    from_input
        Whether the inputs differ; else it is the resource that moved away from them.
    """

    replaces: bool
    added: bool = False
    removed: bool = False
    from_input: bool = True


@dataclass(frozen=True)
class Diff:
    """All differing properties of a resource, by name."""

    changes: Mapping[str, Change]
    delete_before_replace: bool = False

    @property
    def replaces(self) -> list[str]:
        """Names of the properties that replace the resource."""
        return [name for name, change in self.changes.items() if change.replaces]


class _Compared(Protocol):
    @property
    def old_inputs(self) -> Values: ...
    @property
    def inputs(self) -> Values: ...


def compare(
    fields: Mapping[str, Field], state: Values, old_inputs: Values, inputs: Values
) -> dict[str, Change]:
    """Every property that differs, in the order of the table."""
    changes = {}
    for name, field in fields.items():
        action = _action(field, state.get(name), inputs.get(name))
        if action is OnChange.IGNORE:
            continue
        changes[name] = Change(
            replaces=action is OnChange.REPLACE,
            added=name not in state and name not in old_inputs,
            removed=name not in inputs,
            from_input=old_inputs.get(name) != inputs.get(name),
        )
    return changes


def deletes_first(request: _Compared) -> bool:
    """Whether a replacement would collide with the old one: its name was given and stays."""
    if DEFAULTS_KEY not in request.inputs:
        return False
    automatic = "name" in request.inputs[DEFAULTS_KEY]
    return not automatic and request.inputs.get("name") == request.old_inputs.get("name")


def normalised(field: Field, value: Any) -> Any:
    """The value in the form in which it is compared; None if it is as good as left out."""
    if value is None:
        value = field.default
    if is_empty(value):
        return None
    value = compacted(value)
    if field.normalise and not is_empty(value):
        value = field.normalise(value)
    return None if is_empty(value) else value


def _action(field: Field, old: Any, new: Any) -> OnChange:
    if has_unknown(new):
        return field.on_change
    before, after = normalised(field, old), normalised(field, new)
    if before == after or (field.sticky and _is_left_out(new)):
        return OnChange.IGNORE
    if after is None and field.on_removal:
        return field.on_removal
    return field.on_change


def _is_left_out(value: Any) -> bool:
    """False and 0 are values; an empty text or list leaves the choice to the engine."""
    return is_empty(value) and not isinstance(value, (bool, int))
