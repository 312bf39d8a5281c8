"""Reads the configuration of a stack from its files as Pulumi does, without starting Pulumi."""

import re
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import yaml

from infra.errors import UserError
from infra.settings.loading import Settings, decode, encryption_mistake, find_value
from infra.settings.model import NAMESPACE, SECRET_GROUPS, SECRET_SETTINGS
from infra.settings.secrets import SecretSettings
from infra.settings.values import Encrypted

_PREFIX = f"{NAMESPACE}:"
_BOOLEAN = "tag:yaml.org,2002:bool"


class StackFileError(UserError):
    """A file that Pulumi could not read either; the message names it and the line."""


class _Loader(yaml.SafeLoader):
    """YAML as Pulumi reads it: `no` and `off` are text, and no key may stand twice."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        letter: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOLEAN]
        for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                # As of `domain: {{ domain }}`, where nobody has filled a template in.
                problem = "a group or a list in the place of a key"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            if key.value in seen:
                problem = f"the key '{key.value}' a second time"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    _BOOLEAN, re.compile("^(true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def read_values(folder: Path, stack: str) -> dict[str, Any]:
    """What the project's and the stack's file set, with an `Encrypted` for what is encrypted.

    Raises
    ------
    StackFileError
        Raised for a file that is no YAML, or has another shape than Pulumi's.
    """
    values = dict(_own_values(_read_configuration(folder / f"Pulumi.{stack}.yaml")))
    for name, entry in _own_values(_read_configuration(folder / "Pulumi.yaml")):
        _fill(values, name.split("."), _project_value(entry))
    return values


def read_provider_values(folder: Path, stack: str, provider: str) -> dict[str, str]:
    """What the two files set for a provider, by full key such as `docker:host`.

    Raises
    ------
    StackFileError
        Raised for a file that is no YAML, or has another shape than Pulumi's.
    """
    project = _read_configuration(folder / "Pulumi.yaml")
    values = {key: _project_value(entry) for key, entry in project.items()}
    values |= _read_configuration(folder / f"Pulumi.{stack}.yaml")
    return {key: str(value) for key, value in values.items() if key.startswith(f"{provider}:")}


def find_mistakes(folder: Path, stack: str) -> list[str]:
    """Every mistake in the settings of a stack, a line each."""
    try:
        values = read_values(folder, stack)
    except StackFileError as error:
        return [str(error)]
    _, mistakes = Settings.check(values, stack)
    return [*mistakes, *plain_secrets(values)]


def plain_secrets(values: dict[str, Any]) -> Iterator[str]:
    """A mistake for each secret that stands in the file as it is."""
    for where in SECRET_SETTINGS:
        if (value := find_value(values, where)) and not isinstance(value, Encrypted):
            yield encryption_mistake(where, where)
    for where in SECRET_GROUPS:
        secrets = find_value(values, where)
        if isinstance(secrets, dict):
            for name, value in secrets.items():
                known = where != "secrets" or name in SecretSettings.model_fields
                if known and not isinstance(value, Encrypted):
                    yield encryption_mistake(f"{where}.{name}", f"{where}.{name}")
        elif secrets is not None and not isinstance(secrets, Encrypted):
            yield encryption_mistake(where, f"{where}.<name>")


def _own_values(configuration: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in configuration.items():
        name = key.removeprefix(_PREFIX)
        # Without a namespace a key is the project's own.
        if ":" not in name:
            # Pulumi keeps a single value as text, whatever it looks like.
            yield name, decode(value) if isinstance(value, str) else _mark_encrypted(value)


def _project_value(entry: Any) -> Any:
    return entry.get("value", entry.get("default")) if isinstance(entry, dict) else entry


def _mark_encrypted(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if set(value) == {"secure"}:
        return Encrypted()
    return {key: _mark_encrypted(nested) for key, nested in value.items()}


def _fill(group: Any, path: list[str], value: Any) -> None:
    """Set what is not set: Pulumi prefers the stack's value to the project's."""
    for part in path[:-1]:
        if not isinstance(group, dict):
            return
        group = group.setdefault(part, {})
    if isinstance(group, dict):
        group.setdefault(path[-1], value)


def _read_configuration(file: Path) -> dict[str, Any]:
    """The file's `config`, empty if there is no such file."""
    try:
        # YAML is UTF-8 (or has a mark), whatever the locale is.
        content = yaml.load(file.read_bytes(), _Loader) or {}
    except FileNotFoundError:
        return {}
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise StackFileError(_describe(f"{file.name}:{line}", str(error.problem))) from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise StackFileError(_describe(file.name, " ".join(str(error).split()))) from None
    configuration = content.get("config") if isinstance(content, dict) else content
    if not isinstance(configuration or {}, dict):
        raise StackFileError(_describe(file.name, "no group of keys under config"))
    return {str(key): value for key, value in (configuration or {}).items()}


def _describe(where: str, problem: str) -> str:
    return f"{where}: should be YAML that Pulumi can read (got: {problem}). Correct it."
