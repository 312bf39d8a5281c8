"""Schemas of Swagger 2.0 as OpenAPI 3.0 has them, and where its named parts have moved to."""

from typing import Any

Json = dict[str, Any]

_MOVED = {
    "#/definitions/": "#/components/schemas/",
    "#/parameters/": "#/components/parameters/",
    "#/responses/": "#/components/responses/",
}
_NEEDED = {"exclusiveMaximum": "maximum", "exclusiveMinimum": "minimum"}
"""What means nothing without the other, and OpenAPI 3.0 refuses then."""
_SCHEMA_KEYS = (
    *("type", "format", "items", "default", "maximum", "exclusiveMaximum", "minimum"),
    *("exclusiveMinimum", "maxLength", "minLength", "pattern", "maxItems", "minItems"),
    *("uniqueItems", "enum", "multipleOf", "x-nullable", "description", "example"),
)


def value_schema(given: Json, *, without: str = "") -> Json:
    """The schema of a parameter or header, which has its keywords beside its name."""
    kept = {k: given[k] for k in _SCHEMA_KEYS if k in given and k != without}
    return convert_schema(kept)


def moved(given: Json) -> Json:
    """A reference to where its target is now."""
    target = str(given["$ref"])
    for old, new in _MOVED.items():
        if target.startswith(old):
            return {"$ref": new + target.removeprefix(old)}
    return given


def rewritten(value: Any) -> Any:
    """References of an extension lead to where their targets are now."""
    if isinstance(value, list):
        return [rewritten(item) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("$ref"), str):
        return moved(value)
    return {name: rewritten(part) for name, part in value.items()}


def _types(given: list[str]) -> Json:
    """What OpenAPI 3.0 says for a list of types, which Swagger's schemas may have."""
    types = [{"type": item} for item in given if item != "null"]
    said: Json = {"anyOf": types} if len(types) > 1 else {**(types[0] if types else {})}
    return said | ({"nullable": True} if "null" in given else {})


def convert_schema(given: Any) -> Any:
    """A schema with what is inside of it; a property may be called like a keyword."""
    if not isinstance(given, dict):
        return given
    if "$ref" in given:
        return moved(given)
    converted: Json = {}
    for name, part in given.items():
        if name in ("items", "additionalProperties"):
            converted[name] = convert_schema(part)
        elif name in ("properties", "definitions") and isinstance(part, dict):
            converted[name] = {key: convert_schema(item) for key, item in part.items()}
        elif name == "allOf":
            converted[name] = [convert_schema(item) for item in part]
        elif name == "discriminator" and isinstance(part, str):
            converted[name] = {"propertyName": part}
        elif name == "x-nullable":
            converted["nullable"] = bool(part)
        elif name == "type":
            converted |= _types(part if isinstance(part, list) else [part])
        elif name in _NEEDED and _NEEDED[name] not in given:
            continue
        elif name.startswith("x-"):
            converted[name] = rewritten(part)
        elif name != "collectionFormat":
            converted[name] = part
    if converted.get("type") == "file":
        converted |= {"type": "string", "format": "binary"}
    return converted
