"""Fills in what a program leaves out."""

from collections.abc import Mapping
from typing import Any

from plugins.docker.diff import DEFAULTS_KEY
from plugins.docker.fields import Field
from plugins.docker.values import Values


def with_defaults(fields: Mapping[str, Field], inputs: Values) -> Values:
    """Inputs with every default, the filled-in names noted as Pulumi's own providers do."""
    filled = dict(inputs)
    added = []
    for name, field in fields.items():
        if filled.get(name) is None:
            filled.pop(name, None)
            if field.default is not None:
                filled[name] = field.default
                added.append(name)
        elif field.nested_defaults:
            filled[name] = _with_nested(field.nested_defaults, filled[name])
    return filled | {DEFAULTS_KEY: sorted([*inputs.get(DEFAULTS_KEY, ()), *added])}


def _with_nested(defaults: Values, value: Any) -> Any:
    if isinstance(value, list):
        return [_with_nested(defaults, item) for item in value]
    if isinstance(value, dict):
        given = {key: item for key, item in value.items() if item is not None}
        return defaults | given
    return value
