"""The package's schema: which types there are, and the properties of each.

`schema.json` is made from PyPI's `pulumi_docker` by `schema_from_sdk.py`; a test holds them equal.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

_FILE = "schema.json"
_REFERENCE = "#/types/"


@dataclass(frozen=True)
class ObjectSchema:
    """Properties of an object: their type specifications, and which must be given."""

    properties: Mapping[str, Mapping[str, Any]]
    required: frozenset[str]


@dataclass(frozen=True)
class ResourceSchema:
    """Inputs of a resource type, and the names of its outputs."""

    inputs: ObjectSchema
    outputs: tuple[str, ...]


def schema_text() -> str:
    """The whole schema as Pulumi asks for it."""
    return resources.files("plugins.docker").joinpath(_FILE).read_text()


@functools.cache
def package_schema() -> dict[str, Any]:
    """The whole schema, read once."""
    return json.loads(schema_text())


@functools.cache
def resource_schema(token: str) -> ResourceSchema:
    """Schema of a resource type; KeyError for a token that the package does not have."""
    entry = package_schema()["resources"][token]
    inputs = ObjectSchema(entry["inputProperties"], frozenset(entry.get("requiredInputs", ())))
    return ResourceSchema(inputs, tuple(entry["properties"]))


@functools.cache
def object_schema(reference: str) -> ObjectSchema:
    """Schema of a nested object by its reference, `#/types/docker:index/...`."""
    entry = package_schema()["types"][reference.removeprefix(_REFERENCE)]
    return ObjectSchema(entry.get("properties", {}), frozenset(entry.get("required", ())))


def is_enum(reference: str) -> bool:
    """Whether the reference names a plain value with a fixed set of choices."""
    return "enum" in package_schema()["types"][reference.removeprefix(_REFERENCE)]
