"""The Docker plugin speaks the language of PyPI's SDK: a wrong name would be dropped in silence."""

import importlib
import inspect
import json
import pkgutil
import re
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_docker
import pytest
from pulumi import _types as pulumi_types
from pulumi_docker import _inputs, outputs

from benchmarks.harness.machine import tool_environment

# What only the official plugin has: docker.Image, and the types of its inputs.
OFFICIAL_ONLY = {"Image", "CacheFrom", "DockerBuild", "Registry"}

RESOURCES = {
    name: member
    for name, member in vars(pulumi_docker).items()
    if inspect.isclass(member)
    and issubclass(member, pulumi.CustomResource)
    and name not in OFFICIAL_ONLY
}
FUNCTIONS = {
    name: importlib.import_module(f"pulumi_docker.{name}")
    for _, name, _ in pkgutil.iter_modules(pulumi_docker.__path__)
    if name.startswith("get_")
}
TYPES = {
    name.removesuffix("Args") for name in dir(_inputs) if re.fullmatch(r"[A-Z]\w+Args", name)
} - OFFICIAL_ONLY


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    environment = tool_environment()
    pulumi_command = shutil.which("pulumi", path=environment["PATH"])
    assert pulumi_command
    plugin = f"docker@{importlib.import_module('pulumi_docker._utilities').get_version()}"
    command = [pulumi_command, "package", "get-schema", plugin]
    shown = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return json.loads(shown.stdout)


def test_plugin_has_all_resources_and_functions_but_image(schema: dict[str, Any]) -> None:
    expected = {_type(member) for name, member in RESOURCES.items() if name != "Provider"}
    assert set(schema["resources"]) - {"docker:index/image:Image"} == expected
    functions = {token for token in schema["functions"] if token.startswith("docker:")}
    assert functions == {_token(module) for module in FUNCTIONS.values()}


@pytest.mark.parametrize("name", sorted(RESOURCES))
def test_resource_has_the_properties_of_the_sdk(name: str, schema: dict[str, Any]) -> None:
    resource = RESOURCES[name]
    arguments = getattr(importlib.import_module(resource.__module__), f"{name}Args")
    described = schema["provider"]
    if name != "Provider":
        described = schema["resources"][_type(resource)]
    assert set(described["inputProperties"]) == _names(arguments)
    assert set(described.get("requiredInputs", [])) == _required(arguments)
    if name != "Provider":  # the SDK shows only those outputs of a provider that are strings
        of_resource = set(pulumi_types.resource_pulumi_to_py_names(resource))
        assert set(described["properties"]) == of_resource


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_function_has_the_properties_of_the_sdk(name: str, schema: dict[str, Any]) -> None:
    module = FUNCTIONS[name]
    described = schema["functions"][_token(module)]
    title = "".join(word.title() for word in name.split("_"))
    result = _output_names(getattr(module, f"{title}Result"))
    arguments = set(re.findall(r"__args__\['(\w+)'\]", inspect.getsource(module)))
    assert set(described["inputs"]["properties"]) == arguments
    assert set(described["outputs"]["properties"]) == result


@pytest.mark.parametrize("name", sorted(TYPES))
def test_nested_type_has_the_properties_of_the_sdk(name: str, schema: dict[str, Any]) -> None:
    token = re.sub("^Get", "get", name)
    described = schema["types"][f"docker:index/{token}:{token}"]
    arguments = getattr(_inputs, f"{name}Args")
    assert set(described["properties"]) == _names(arguments)
    assert set(described.get("required", [])) == _required(arguments)


def test_what_functions_return_has_the_properties_of_the_sdk(schema: dict[str, Any]) -> None:
    described: Mapping[str, Any] = schema["types"]
    returned = {
        token.rpartition(":")[2]: set(members["properties"])
        for token, members in described.items()
        if ":get" in token
    }
    assert returned == {
        re.sub("^Get(.*)Result$", r"get\1", name): _output_names(member)
        for name, member in vars(outputs).items()
        if name.startswith("Get") and name.endswith("Result")
    }


def _type(resource: type[pulumi.CustomResource]) -> str:
    return getattr(resource, "pulumi_type")  # noqa: B009 - set by a decorator


def _token(module: Any) -> str:
    match = re.search(r"invoke\('([^']+)'", inspect.getsource(module))
    assert match
    return match[1]


def _names(arguments: type) -> set[str]:
    return set(pulumi_types.input_type_py_to_pulumi_names(arguments).values())


def _output_names(result: type) -> set[str]:
    return set(pulumi_types._pulumi_to_py_names_from_py_properties(result))


def _required(arguments: type) -> set[str]:
    names = pulumi_types.input_type_py_to_pulumi_names(arguments)
    parameters = inspect.signature(arguments).parameters.values()
    return {
        names[parameter.name]
        for parameter in parameters
        if parameter.default is inspect.Parameter.empty
    }
