"""Checks inputs against the schema: names, types and presence, each mistake with its path."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from plugins.docker.fields import Field
from plugins.docker.schema import ObjectSchema, is_enum, object_schema, resource_schema
from plugins.docker.values import UNKNOWN, Values, join_path

_TYPE_NAMES = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a map",
}
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True)
class Failure:
    """One mistake in the inputs; of values the reason quotes numbers alone."""

    path: str
    reason: str


def check_shape(
    token: str, fields: Mapping[str, Field], inputs: Values
) -> tuple[Values, list[Failure]]:
    """Inputs with every value in its proper type, and all mistakes found.

    A text which says a number or a truth value is taken as such, and the other way round: the
    official provider does so too, and values from `pulumi config` are texts.
    """
    schema = resource_schema(token).inputs
    failures: list[Failure] = []
    checked = _checked_object(schema, inputs, "", failures)
    failures += _unsupported(fields, checked)
    return checked, failures


def unknown_names(names: Iterable[str], known: Iterable[str], parent: str) -> Iterator[Failure]:
    """A failure for every name that is not known, with the nearest that is."""
    known = sorted(known)
    for name in names:
        if name in known or name.startswith("__"):
            continue
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}."
        yield Failure(join_path(parent, name), f"is not a property here. {hint}")


def _unsupported(fields: Mapping[str, Field], inputs: Values) -> Iterator[Failure]:
    for name, field in fields.items():
        if field.unsupported and inputs.get(name) not in (None, [], {}):
            yield Failure(name, f"is not supported by this provider. {field.unsupported}")


def _checked_object(
    schema: ObjectSchema, values: Values, path: str, failures: list[Failure]
) -> Values:
    failures += unknown_names(values, schema.properties, path)
    checked = {}
    for name, value in values.items():
        if value is None or name not in schema.properties:
            continue
        checked[name] = _checked(schema.properties[name], value, join_path(path, name), failures)
    for name in sorted(schema.required):
        if values.get(name) is None:
            failures.append(Failure(join_path(path, name), "should be given"))
    return checked


def _checked(spec: Mapping[str, Any], value: Any, path: str, failures: list[Failure]) -> Any:
    if value is UNKNOWN or value is None:
        return value
    if "oneOf" in spec:
        return _checked(_fitting(spec["oneOf"], value), value, path, failures)
    if "$ref" in spec:
        return _checked_reference(spec["$ref"], value, path, failures)
    kind = spec["type"]
    if kind == "array" and isinstance(value, list):
        items = enumerate(value)
        return [_checked(spec["items"], item, join_path(path, i), failures) for i, item in items]
    if kind == "object" and isinstance(value, dict):
        inner = spec.get("additionalProperties", {"type": "string"})
        return {
            key: _checked(inner, item, join_path(path, key), failures)
            for key, item in value.items()
        }
    return _checked_scalar(kind, value, path, failures)


def _checked_reference(reference: str, value: Any, path: str, failures: list[Failure]) -> Any:
    if reference.startswith("pulumi.json#"):
        return value
    if is_enum(reference):
        return _checked_scalar("string", value, path, failures)
    if isinstance(value, dict):
        return _checked_object(object_schema(reference), value, path, failures)
    failures.append(Failure(path, f"should be an object (got {_kind_of(value)})"))
    return value


def _checked_scalar(kind: str, value: Any, path: str, failures: list[Failure]) -> Any:
    converted = _converted(kind, value)
    if converted is None:
        reason = f"should be {_TYPE_NAMES[kind]} (got {_kind_of(value)})"
        failures.append(Failure(path, reason))
        return value
    return converted


def _converted(kind: str, value: Any) -> Any:
    """The value as the kind wants it; None if it does not say such a value."""
    if kind == "string":
        if isinstance(value, bool):
            return str(value).lower()
        return str(value) if isinstance(value, (str, int, float)) else None
    if kind == "boolean":
        return value if isinstance(value, bool) else _BOOLEANS.get(str(value))
    if kind in ("integer", "number") and not isinstance(value, bool):
        return _number(kind, value)
    return None


def _number(kind: str, value: Any) -> int | float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    if number.is_integer():
        return int(number)
    return number if kind == "number" else None


def _fitting(choices: list[dict[str, Any]], value: Any) -> dict[str, Any]:
    """The alternative that a value of this kind can only mean."""
    objects = [choice for choice in choices if "$ref" in choice]
    others = [choice for choice in choices if "$ref" not in choice]
    if isinstance(value, dict) or not others:
        return (objects or others)[0]
    return others[0]


def _kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    return {str: "a string", list: "a list", dict: "a map"}[type(value)]
