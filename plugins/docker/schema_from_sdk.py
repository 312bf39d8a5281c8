"""Makes `schema.json` out of PyPI's `pulumi_docker`, so that no schema is written by hand.

Run as `python -m plugins.docker.schema_from_sdk`. The package says which properties there are, how
Pulumi spells them, which types they have and which must be given. It cannot say what replaces: that
is in the field tables.
"""

import collections.abc
import inspect
import json
import re
import types
import typing
from enum import Enum
from pathlib import Path
from typing import Any

import pulumi
import pulumi_docker
from pulumi import _types as sdk_types

from plugins.docker.version import VERSION

_SCALARS = {str: "string", bool: "boolean", int: "integer", float: "number"}
_ANY = {"$ref": "pulumi.json#/Any"}


def make_schema() -> dict[str, Any]:
    """The package's schema in Pulumi's own format, without descriptions."""
    writer = _Writer()
    return {
        "name": "docker",
        "version": VERSION,
        "meta": {"moduleFormat": "(.*)(?:/[^/]*)"},
        "config": {"variables": writer.inputs_of(pulumi_docker.ProviderArgs)["inputProperties"]},
        "provider": {**writer.inputs_of(pulumi_docker.ProviderArgs), "type": "object"},
        "resources": {token: writer.resource(cls) for token, cls in _resources()},
        "functions": {token: writer.function(name) for token, name in _functions()},
        "types": dict(sorted(writer.types.items())),
    }


class _Writer:
    """Turns classes into specifications, and collects the nested types on the way."""

    def __init__(self) -> None:
        self.types: dict[str, Any] = {}

    def resource(self, cls: type) -> dict[str, Any]:
        """Inputs and outputs of a resource class."""
        module = inspect.getmodule(cls)
        outputs = {name: self._spec(hint) for name, hint in sdk_types.resource_types(cls).items()}
        return {
            "properties": dict(sorted(outputs.items())),
            **self.inputs_of(getattr(module, f"{cls.__name__}Args")),
        }

    def inputs_of(self, args: type) -> dict[str, Any]:
        """Inputs of an Args class."""
        properties, required = self._members(args)
        return {"inputProperties": properties, "requiredInputs": required}

    def function(self, name: str) -> dict[str, Any]:
        """Arguments and result of a data source such as `get_network`."""
        function = getattr(pulumi_docker, name)
        hints = typing.get_type_hints(function, _names(function))
        arguments = inspect.signature(function).parameters
        result = hints["return"]
        inputs = {_camel(key): self._spec(hints[key]) for key in arguments if key != "opts"}
        outputs = {key: self._spec(hint) for key, hint in _result_members(result)}
        return {
            "inputs": {"properties": dict(sorted(inputs.items())), "type": "object"},
            "outputs": {"properties": dict(sorted(outputs.items())), "type": "object"},
        }

    def _members(self, cls: type) -> tuple[dict[str, Any], list[str]]:
        names = sdk_types.input_type_py_to_pulumi_names(cls)
        constructor = cls.__init__
        hints = typing.get_type_hints(constructor, _names(cls))
        parameters = inspect.signature(constructor).parameters
        properties = {names[key]: self._spec(hints[key]) for key in names}
        required = [
            names[key] for key in names if parameters[key].default is inspect.Parameter.empty
        ]
        return dict(sorted(properties.items())), sorted(required)

    def _spec(self, hint: Any) -> dict[str, Any]:
        choices = [choice for choice in _alternatives(hint) if choice is not type(None)]
        specs = [self._plain(choice) for choice in choices]
        unique = [spec for index, spec in enumerate(specs) if spec not in specs[:index]]
        return unique[0] if len(unique) == 1 else {"oneOf": unique}

    def _plain(self, hint: Any) -> dict[str, Any]:
        origin = typing.get_origin(hint)
        if origin is collections.abc.Sequence:
            return {"type": "array", "items": self._spec(typing.get_args(hint)[0])}
        if origin is collections.abc.Mapping:
            inner = self._spec(typing.get_args(hint)[1])
            return {"type": "object", "additionalProperties": inner}
        if hint in _SCALARS:
            return {"type": _SCALARS[hint]}
        return self._reference(hint) if inspect.isclass(hint) else _ANY

    def _reference(self, cls: type) -> dict[str, Any]:
        name = cls.__name__.removesuffix("Args")
        token = f"docker:index/{name}:{name}"
        reference = {"$ref": f"#/types/{token}"}
        if token in self.types:
            return reference
        if issubclass(cls, Enum):
            choices = [{"value": choice.value} for choice in cls]
            self.types[token] = {"type": "string", "enum": choices}
            return reference
        self.types[token] = {}
        self.types[token] = self._object(cls)
        return reference

    def _object(self, cls: type) -> dict[str, Any]:
        if sdk_types.is_input_type(cls):
            properties, required = self._members(cls)
            return {"type": "object", "properties": properties, "required": required}
        # Inputs and outputs of one name have the same members; those of inputs say more.
        inputs = getattr(pulumi_docker, f"{cls.__name__}Args", None)
        if inputs:
            return self._object(inputs)
        members = sdk_types.output_type_types(cls)
        properties = {key: self._spec(hint) for key, hint in members.items()}
        return {"type": "object", "properties": dict(sorted(properties.items()))}


def _alternatives(hint: Any) -> list[Any]:
    """Members of a union, Inputs and Outputs taken apart; a TypedDict repeats its class."""
    origin = typing.get_origin(hint)
    if origin not in (typing.Union, types.UnionType):
        return [hint]
    found: list[Any] = []
    for member in typing.get_args(hint):
        if typing.get_origin(member) in (collections.abc.Awaitable, pulumi.Output):
            continue
        if not typing.is_typeddict(member):
            found += _alternatives(member)
    return found


def _result_members(result: Any) -> list[tuple[str, Any]]:
    members = inspect.getmembers(result, lambda member: isinstance(member, property))
    names = _names(result)
    return [
        (_camel(name), typing.get_type_hints(member.fget, names).get("return", Any))
        for name, member in members
    ]


def _names(member: Any) -> dict[str, Any]:
    """What the member's type hints may name; `pulumi.Input` itself names its own module's."""
    own = {"Output": pulumi.Output, "T": typing.TypeVar("T")}
    return own | vars(inspect.getmodule(member))


def _resources() -> list[tuple[str, type]]:
    members = inspect.getmembers(pulumi_docker, inspect.isclass)
    classes = [cls for _, cls in members if issubclass(cls, pulumi.CustomResource)]
    found = [(_token(cls), cls) for cls in classes if not issubclass(cls, pulumi.ProviderResource)]
    return sorted(found, key=lambda pair: pair[0])


def _functions() -> list[tuple[str, str]]:
    names = [name for name in dir(pulumi_docker) if re.fullmatch(r"get_[a-z_]+", name)]
    plain = [name for name in names if not name.endswith("_output")]
    functions = [name for name in plain if inspect.isfunction(getattr(pulumi_docker, name))]
    return [(f"docker:index/{_camel(name)}:{_camel(name)}", name) for name in functions]


def _token(cls: type) -> str:
    name = cls.__name__
    return f"docker:index/{name[0].lower()}{name[1:]}:{name}"


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def schema_json() -> str:
    """The text of `schema.json`."""
    return json.dumps(make_schema(), indent=1, sort_keys=False) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("schema.json").write_text(schema_json())
