"""Typed settings of one stack; the only reader of its configuration."""

import json
import os
import re
from typing import Annotated, Any, Self

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env, is_config_secret
from pydantic import Field, ValidationError

from infra.errors import SettingsError
from infra.settings.messages import describe_mistakes
from infra.settings.groups import (
    AppSettings,
    BackupSettings,
    Environment,
    Group,
    HealthSettings,
    ImageSource,
    LogSettings,
    NginxSettings,
    PortSettings,
    PostgresSettings,
    RedisSettings,
    SecretSettings,
    TlsSettings,
)
from infra.settings.rules import combination_mistakes

NAMESPACE = "devportal"
IMAGE_SOURCE_VARIABLE = "DEVPORTAL_IMAGE_SOURCE"

# Image references are lower case, and a container name starts with a letter or digit.
_DOMAIN = "^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?[.])+[a-z][a-z0-9-]*[a-z0-9]$"
_DOMAIN_RULE = "a lower-case host name with a dot in it"
_STACK_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,30}")


class Settings(Group):
    """Everything one stack can be told, checked and complete."""

    stack: str
    environment: Environment
    domain: Annotated[str, Field(pattern=_DOMAIN, description=_DOMAIN_RULE)] = "devportal.localhost"
    devtools: bool = False
    retain_data: bool = True
    image_source: ImageSource = ImageSource.AUTO
    restart: Annotated[str, Field(pattern="^(no|on-failure|unless-stopped|always)$")] = (
        "unless-stopped"
    )
    pids_limit: Annotated[int, Field(ge=32, le=32768)] = 256
    memory_reservation_percent: Annotated[int, Field(ge=0, le=90)] = 50
    ports: PortSettings = PortSettings()
    app: AppSettings = AppSettings()
    nginx: NginxSettings = NginxSettings()
    tls: TlsSettings = TlsSettings()
    postgres: PostgresSettings = PostgresSettings()
    redis: RedisSettings = RedisSettings()
    backups: BackupSettings = BackupSettings()
    health: HealthSettings = HealthSettings()
    logs: LogSettings = LogSettings()
    secrets: SecretSettings = SecretSettings()

    @classmethod
    def load(cls, config: pulumi.Config, stack: str) -> Self:
        """Read and check the configuration of `stack`.

        Raises
        ------
        SettingsError
            Raised with every mistake at once.
        """
        raw = _with_development_defaults(_read_raw(config.name))
        mistakes = _stack_mistakes(stack)
        if raw.pop("stack", None) is not None:
            mistakes.append(f"{config.name}:stack: should be a known key (got 'stack'). Remove it.")
        if "secrets" in raw and not is_config_secret(f"{config.name}:secrets"):
            mistakes.append(
                f"{config.name}:secrets: should be encrypted (got plain text). Set each with "
                f"`pulumi config set --secret --path {config.name}:secrets.<name>`."
            )
        try:
            settings = cls.model_validate({**raw, "stack": stack})
        except ValidationError as error:
            raise SettingsError(mistakes + describe_mistakes(error, cls, config.name)) from None
        mistakes += [f"{config.name}:{text}" for text in combination_mistakes(settings)]
        if mistakes:
            raise SettingsError(mistakes)
        return settings

    @property
    def resolved_image_source(self) -> ImageSource:
        """`image_source`, where `auto` is what the set-up found reachable."""
        if self.image_source is not ImageSource.AUTO:
            return self.image_source
        return ImageSource(os.environ.get(IMAGE_SOURCE_VARIABLE) or ImageSource.OFFICIAL)


def _stack_mistakes(stack: str) -> list[str]:
    if _STACK_NAME.fullmatch(stack):
        return []
    return [
        "stack name: should be 1 to 31 lower-case letters, digits, '-' or '_', starting with a "
        f"letter or digit (got '{stack}'). Choose another with `pulumi stack init`."
    ]


def _read_raw(namespace: str) -> dict[str, Any]:
    """Every key under the namespace, structured values decoded."""
    everything = {**get_config_env(), **CONFIG.get()}
    prefix = f"{namespace}:"
    return {
        key.removeprefix(prefix): _decode(value)
        for key, value in everything.items()
        if key.startswith(prefix)
    }


def _with_development_defaults(raw: dict[str, Any]) -> dict[str, Any]:
    """In development there is one portal, as nothing stands in front of it, and no backup."""
    if raw.get("environment") != Environment.DEVELOPMENT:
        return raw
    return {**raw, **_under(raw, "app", replicas=1), **_under(raw, "backups", enabled=False)}


def _under(raw: dict[str, Any], group: str, **defaults: Any) -> dict[str, Any]:
    given = raw.get(group, {})
    return {group: {**defaults, **given} if isinstance(given, dict) else given}


def _decode(value: str) -> Any:
    """Pulumi hands every value over as text; objects, numbers and booleans are JSON."""
    try:
        return json.loads(value)
    except ValueError:
        return value
