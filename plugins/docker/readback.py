"""State and inputs of a resource that was looked up again."""

from collections.abc import Mapping
from typing import Any

from plugins.docker.diff import normalised
from plugins.docker.fields import Field
from plugins.docker.values import Values


def merged(fields: Mapping[str, Field], known: Values, seen: Values) -> Values:
    """Known properties, with what the engine reports where that means something else.

    A value that says the same in other words stays as the program wrote it, or every refresh would
    show it as changed.
    """
    result = dict(known)
    for name, value in seen.items():
        field = fields.get(name)
        if field is None or name not in known or _differs(field, known[name], value):
            result[name] = value
    return result


def inputs_after_read(fields: Mapping[str, Field], inputs: Values, outputs: Values) -> Values:
    """The inputs of last time, moved to where the resource really is."""
    moved = {
        name: outputs[name]
        for name, field in fields.items()
        if name in inputs and name in outputs and _differs(field, inputs[name], outputs[name])
    }
    return inputs | moved


def imported_inputs(fields: Mapping[str, Field], outputs: Values) -> Values:
    """Inputs that would make an imported resource: what differs from the defaults."""
    return {
        name: outputs[name]
        for name, field in fields.items()
        if not field.unsupported
        and name in outputs
        and normalised(field, outputs[name]) != normalised(field, None)
    }


def _differs(field: Field, known: Any, seen: Any) -> bool:
    return normalised(field, known) != normalised(field, seen)
