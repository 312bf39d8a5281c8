"""Configuration from the environment and from secret files (`<NAME>_FILE`)."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_origin
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from app.setting_rules import Rule, rule_text, show, show_secret
from app.settings import (
    ClientSecret,
    Environment,
    Key,
    Password,
    PortalSettings,
    unfit_for_production,
)
from app.sign_in_settings import sign_in_mistakes


class ConfigError(Exception):
    """The environment breaks one or more rules; never shows a secret's value."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


def _check_url(value: SecretStr, schemes: tuple[str, ...]) -> SecretStr:
    parts = urlsplit(value.get_secret_value())
    # Reading the port checks it: an unescaped / or # in a password ends up there.
    if parts.scheme not in schemes or not parts.hostname or parts.port == 0:
        raise ValueError
    return value


DatabaseUrl = Annotated[
    SecretStr,
    AfterValidator(lambda value: _check_url(value, ("postgresql", "postgres"))),
    Rule(
        "like postgresql://user:password@host:5432/database, with special characters "
        "percent-encoded"
    ),
]
RedisUrl = Annotated[
    SecretStr,
    AfterValidator(lambda value: _check_url(value, ("redis", "rediss"))),
    Rule("like redis://user:password@host:6379/0, with special characters percent-encoded"),
]


class Config(PortalSettings):
    """Everything the portal reads from its environment; a secret may come from a file instead."""

    database_url: DatabaseUrl = Field(
        description="the application's role, which reads and writes rows",
        examples=["postgresql://devportal_user:PASSWORD@postgres:5432/devportal"],
    )
    migration_database_url: DatabaseUrl | None = Field(
        default=None,
        description="the role that owns the schema; only `python -m app migrate` needs it",
        examples=["postgresql://devportal_migrator:PASSWORD@postgres:5432/devportal"],
    )
    redis_url: RedisUrl = Field(
        description="the portal's user", examples=["redis://devportal:PASSWORD@redis:6379/0"]
    )
    secret_key: Key = Field(description="the key for cookies and forms")
    jwt_secret_key: Key = Field(description="the key for access tokens")
    admin_password: Password | None = Field(
        default=None,
        description="the first administrator; only `python -m app create-admin` and `seed` need it",
    )

    oidc_client_secret: ClientSecret | None = Field(
        default=None,
        description="the portal's secret at the sign-in provider; none for a public client",
    )

    @property
    def is_production(self) -> bool:
        return self.app_env == Environment.PRODUCTION

    @property
    def async_database_url(self) -> str:
        """The application role's URL for SQLAlchemy on psycopg."""
        return with_driver(self.database_url.get_secret_value())

    def secret_for(
        self, command: str, name: Literal["migration_database_url", "admin_password"]
    ) -> str:
        """A secret that only some commands need; containers that serve requests do not have it.

        Raises
        ------
        ConfigError
            Raised when it is not set.
        """
        secret: SecretStr | None = getattr(self, name)
        if secret is None:
            variable = name.upper()
            raise ConfigError(
                [
                    f"{variable}: should be set for {command} (got nothing). "
                    f"Set {variable} or {variable}_FILE."
                ]
            )
        return secret.get_secret_value()


SECRETS = frozenset(Config.model_fields) - frozenset(PortalSettings.model_fields)
"""Fields that may come from a file."""


def load_config(environ: Mapping[str, str] | None = None) -> Config:
    """Read and check the environment.

    Raises
    ------
    ConfigError
        Raised with every mistake at once.
    """
    values, mistakes = _read_values(os.environ if environ is None else environ)
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        found = [details for details in error.errors() if details["loc"][0] not in mistakes]
        raise ConfigError([*mistakes.values(), *map(_describe, found)]) from None
    if broken := [*mistakes.values(), *_combination_mistakes(config)]:
        raise ConfigError(broken)
    return config


def _combination_mistakes(config: Config) -> Iterable[str]:
    if config.is_production:
        for name, reason in unfit_for_production(config).items():
            yield (
                f"{name.upper()}: should be false when APP_ENV is production (got true). {reason}"
            )
    yield from sign_in_mistakes(config, is_production=config.is_production, spell=str.upper)


def _read_values(
    environ: Mapping[str, str],
) -> tuple[dict[str, Any], dict[str, str]]:
    """Values by field, and mistakes by field, of what the environment sets."""
    values: dict[str, Any] = {}
    mistakes: dict[str, str] = {}
    for name, field in Config.model_fields.items():
        text, path = environ.get(name.upper()), environ.get(f"{name.upper()}_FILE")
        if path and name in SECRETS:
            try:
                values[name] = _read_secret(name.upper(), text, Path(path))
            except ConfigError as error:
                mistakes[name] = str(error)
        elif text is not None and get_origin(field.annotation) is list:
            # An empty list is a value, where any other variable that is empty counts as unset.
            values[name] = [item.strip() for item in text.split(",") if item.strip()]
        elif text and get_origin(field.annotation) is dict:
            values[name] = _decode(text)
        elif text:
            values[name] = text
    return values, mistakes


def _decode(text: str) -> Any:
    """A group of keys is written as JSON; anything else is refused by the group's own type."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _read_secret(name: str, text: str | None, path: Path) -> str:
    if text:
        raise ConfigError([f"{name}: should be set once (got {name} and {name}_FILE). Unset one."])
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise ConfigError(
            [
                f"{name}_FILE: should name a readable file (got '{path}': {reason}). "
                "Name another, or let this user read it."
            ]
        ) from None


def _describe(details: ErrorDetails) -> str:
    field = str(details["loc"][0])
    name = field.upper()
    if details["type"] == "missing":
        also = f" or {name}_FILE" if field in SECRETS else ""
        return f"{name}: should be set (got nothing). Set {name}{also}."
    got = show_secret(details["input"]) if field in SECRETS else show(details["input"])
    return f"{name}: should be {rule_text(details)} (got {got}). Set another."


def with_driver(url: str) -> str:
    """A database URL as SQLAlchemy wants it for psycopg."""
    return f"postgresql+psycopg://{url.partition('://')[2]}"
