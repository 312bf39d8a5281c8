"""Turns what pydantic found wrong into `where: rule (got value). What to do.`"""

import difflib
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails


def describe_mistakes(error: ValidationError, model: type[BaseModel], namespace: str) -> list[str]:
    """One line for each mistake, named by the key as the user writes it."""
    return [f"{namespace}:{_describe(details, model)}" for details in error.errors()]


def _describe(details: ErrorDetails, model: type[BaseModel]) -> str:
    path = [str(part) for part in details["loc"]]
    where = ".".join(path)
    if details["type"] == "extra_forbidden":
        return _describe_unknown(path, model)
    if details["type"] == "missing":
        return f"{where}: should be set (got nothing). Add it with `pulumi config set`."
    value = "a secret" if "secrets" in path else _show(details["input"])
    return f"{where}: should be {_rule(path, model, details)} (got {value})."


def _describe_unknown(path: list[str], model: type[BaseModel]) -> str:
    known = [name for name in _group_at(path[:-1], model).model_fields if name != "stack"]
    close = difflib.get_close_matches(path[-1], known, n=1)
    hint = f"Did you mean '{close[0]}'?" if close else f"Known keys: {', '.join(known)}."
    return f"{'.'.join(path)}: should be a known key (got '{path[-1]}'). {hint}"


def _group_at(path: list[str], model: type[BaseModel]) -> type[BaseModel]:
    for part in path:
        annotation = model.model_fields[part].annotation
        assert isinstance(annotation, type)
        assert issubclass(annotation, BaseModel)
        model = annotation
    return model


def _rule(path: list[str], model: type[BaseModel], details: ErrorDetails) -> str:
    """The whole rule of a field, as its schema states it, not just the half that was broken."""
    schema = _schema_at(path, model)
    if schema is None:
        return details["msg"].removeprefix("Input should be ").removeprefix("Value should be ")
    if "enum" in schema:
        return "one of " + ", ".join(schema["enum"])
    if "pattern" in schema and "description" in schema:
        return schema["description"]
    if "pattern" in schema:
        return "one of " + ", ".join(schema["pattern"].strip("^()$").split("|"))
    noun = _NOUNS.get(schema.get("type", "string"), "a value")
    if "minimum" in schema:
        return f"{noun} from {schema['minimum']} to {schema['maximum']}"
    return noun


_NOUNS = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "string": "text",
    "array": "a list",
    "object": "a group of keys",
}


def _schema_at(path: list[str], model: type[BaseModel]) -> dict[str, Any] | None:
    """The JSON schema of one field; None for an item inside a list."""
    group, name = path[:-1], path[-1]
    if any(part.isdigit() for part in path):
        return None
    schema = _group_at(group, model).model_json_schema()
    field: dict[str, Any] = schema["properties"][name]
    # Of what may be left out, the rule of what is given.
    options: list[dict[str, Any]] = field.get("anyOf", [])
    field = next((option for option in options if option.get("type") != "null"), field)
    reference = field.get("$ref") or next(
        (option["$ref"] for option in field.get("allOf", []) if "$ref" in option), None
    )
    return schema["$defs"][reference.rsplit("/", 1)[-1]] if reference else field


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"'{value}'"
    return "a group of keys" if isinstance(value, dict) else str(value)
