"""Reads and checks the configuration of one stack."""

import json
from collections.abc import Mapping
from typing import Any, Protocol, Self

from pydantic import ValidationError

from app.settings import Environment
from infra.errors import SettingsError
from infra.naming import stack_name_mistake
from infra.settings.messages import describe_mistakes, set_secret
from infra.settings.model import NAMESPACE, SECRET_GROUPS, SECRET_SETTINGS, StackSettings
from infra.settings.rules import combination_mistakes


class NamedConfig(Protocol):
    """What is used of a `pulumi.Config`."""

    @property
    def name(self) -> str: ...


class Settings(StackSettings):
    """Everything one stack can choose, checked and complete."""

    stack: str

    @classmethod
    def load(cls, config: NamedConfig, stack: str) -> Self:
        """Read and check the configuration of `stack` inside a Pulumi program.

        Raises
        ------
        SettingsError
            Raised with every mistake at once.
        """
        # Pulumi takes half a second to import, which `python -m infra.settings` does without.
        from pulumi.runtime.config import CONFIG, get_config_env, is_config_secret

        values = _select(config.name, {**get_config_env(), **CONFIG.get()})
        settings, mistakes = cls.check(values, stack)
        for where in (*SECRET_GROUPS, *SECRET_SETTINGS):
            # Pulumi knows of a whole key alone that it holds a secret.
            key = where.partition(".")[0]
            if find_value(values, where) and not is_config_secret(f"{config.name}:{key}"):
                name = where if where in SECRET_SETTINGS else f"{where}.<name>"
                mistakes.append(encryption_mistake(where, name))
        if settings is None or mistakes:
            raise SettingsError(mistakes)
        return settings

    @classmethod
    def check(cls, values: Mapping[str, Any], stack: str) -> tuple[Self | None, list[str]]:
        """The settings made of `values`, and every mistake in them.

        There are no settings where a value breaks a rule by itself.
        """
        mistake = stack_name_mistake(stack)
        mistakes = [] if mistake is None else [mistake]
        try:
            found = StackSettings.model_validate(_with_development_defaults(values))
        except ValidationError as error:
            return None, mistakes + describe_mistakes(error, f"Pulumi.{stack}.yaml")
        mistakes += [f"{NAMESPACE}:{text}" for text in combination_mistakes(found)]
        return cls(stack=stack, **dict(found)), mistakes


def find_value(values: Mapping[str, Any], where: str) -> Any:
    """What is set under a path such as `app.secrets`; empty for nothing."""
    found: Any = values
    for part in where.split("."):
        found = found.get(part, {}) if isinstance(found, Mapping) else {}
    return found


def encryption_mistake(where: str, key: str) -> str:
    """A secret, or the group of them, that stands in plain text."""
    return f"{NAMESPACE}:{where}: should be encrypted (got plain text). {set_secret(key)}"


def decode(value: str) -> Any:
    """Pulumi hands every value over as text; objects, numbers and booleans are JSON."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def _select(namespace: str, everything: Mapping[str, str]) -> dict[str, Any]:
    prefix = f"{namespace}:"
    return {
        key.removeprefix(prefix): decode(value)
        for key, value in everything.items()
        if key.startswith(prefix)
    }


def _with_development_defaults(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """In development there is one replica, as nothing is in front of it, and no backup."""
    if values.get("environment") != Environment.DEVELOPMENT:
        return values
    return {
        **values,
        "app": _with_defaults(values.get("app", {}), replicas=1),
        "backups": _with_defaults(values.get("backups", {}), enabled=False),
    }


def _with_defaults(group: Any, **defaults: Any) -> Any:
    return {**defaults, **group} if isinstance(group, dict) else group
