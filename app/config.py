"""Configuration from the environment and from secret files (`<NAME>_FILE`)."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)

from app.constants import MIN_SECRET_CHARACTERS

_SECRETS = (
    "DATABASE_URL",
    "MIGRATION_DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "JWT_SECRET_KEY",
    "ADMIN_PASSWORD",
)


class ConfigError(Exception):
    """The environment breaks one or more rules; never shows a secret's value."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


def _split(value: object) -> object:
    if isinstance(value, str):
        return [item.strip() for item in value.split(",") if item.strip()]
    return value


def _is_url(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        # Reading the port checks it: an unescaped / or # in a password ends up there.
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _check_database_url(value: SecretStr) -> SecretStr:
    if not _is_url(value.get_secret_value(), ("postgresql", "postgres")):
        raise ValueError(
            "should be like postgresql://user:password@host:5432/database, with special "
            "characters percent-encoded"
        )
    return value


def _check_redis_url(value: SecretStr) -> SecretStr:
    if not _is_url(value.get_secret_value(), ("redis", "rediss")):
        raise ValueError(
            "should be like redis://user:password@host:6379/0, with special characters "
            "percent-encoded"
        )
    return value


def _check_origin(value: str) -> str:
    if not re.fullmatch(r"https?://[^/\s?#]+", value):
        raise ValueError("should be origins like https://portal.example.com, without a path")
    return value


DatabaseUrl = Annotated[SecretStr, AfterValidator(_check_database_url)]
RedisUrl = Annotated[SecretStr, AfterValidator(_check_redis_url)]
Origin = Annotated[str, AfterValidator(_check_origin)]
Key = Annotated[SecretStr, Field(min_length=MIN_SECRET_CHARACTERS)]
Password = Annotated[SecretStr, Field(min_length=8)]


class Config(BaseModel):
    """The portal's configuration."""

    model_config = ConfigDict(frozen=True)

    app_env: Literal["development", "production"]
    app_version: Annotated[str, Field(min_length=1)] = "latest"
    debug: bool = False
    migrate: bool = False
    seed: bool = False
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    database_url: DatabaseUrl
    migration_database_url: DatabaseUrl | None = None
    redis_url: RedisUrl
    secret_key: Key
    jwt_secret_key: Key
    jwt_algorithm: Literal["HS256"] = "HS256"
    jwt_expire_minutes: Annotated[int, Field(ge=1, le=1440)] = 30
    allowed_origins: Annotated[list[Origin], BeforeValidator(_split)] = []
    admin_email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")] = "admin@example.com"
    admin_password: Password | None = None
    anonymous_reads: bool = False
    registration_open: bool = False
    login_attempts_per_minute: Annotated[int, Field(ge=1, le=10_000)] = 10
    refreshes_per_minute: Annotated[int, Field(ge=1, le=10_000)] = 120
    user_requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 1200
    key_requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    database_pool_size: Annotated[int, Field(ge=1, le=100)] = 5

    @property
    def is_production(self) -> bool:
        return self.app_env == "production"

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


def load_config(environ: Mapping[str, str] | None = None) -> Config:
    """Read and check the environment.

    Raises
    ------
    ConfigError
        Raised with every mistake at once.
    """
    environ = os.environ if environ is None else environ
    values, mistakes = _read_values(environ)
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        unread = {mistake.split("_FILE:")[0].split(":")[0] for mistake in mistakes}
        found = [_describe(item) for item in error.errors()]
        mistakes += [line for line in found if line.split(":")[0] not in unread]
        raise ConfigError(mistakes) from None
    mistakes += _production_mistakes(config)
    if mistakes:
        raise ConfigError(mistakes)
    return config


def _production_mistakes(config: Config) -> list[str]:
    if config.app_env != "production":
        return []
    unfit = {"DEBUG": config.debug, "SEED": config.seed}
    return [
        f"{name}: should be false when APP_ENV is production (got 'true')."
        for name, is_set in unfit.items()
        if is_set
    ]


def _read_values(environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    values = {
        name: environ[name.upper()] for name in Config.model_fields if environ.get(name.upper())
    }
    mistakes: list[str] = []
    for name in _SECRETS:
        path = environ.get(f"{name}_FILE")
        if not path:
            continue
        if name.lower() in values:
            mistakes.append(f"{name}: should be set once (got {name} and {name}_FILE). Unset one.")
            continue
        try:
            values[name.lower()] = Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not text"
            mistakes.append(f"{name}_FILE: should name a readable file (got '{path}': {reason}).")
    return values, mistakes


def _describe(item: Any) -> str:
    name = str(item["loc"][0]).upper()
    if item["type"] == "missing":
        also = f" or {name}_FILE" if name in _SECRETS else ""
        return f"{name}: should be set (got nothing). Set {name}{also}."
    if name in _SECRETS:
        length = len(item["input"])
        return f"{name}: {_rule(item)} (got {length} characters)."
    return f"{name}: {_rule(item)} (got '{item['input']}')."


def _rule(item: Any) -> str:
    context = item.get("ctx", {})
    if item["type"] == "too_short":
        return f"should be at least {context['min_length']} characters"
    if item["type"] == "string_pattern_mismatch":
        return "should be an e-mail address"
    if item["type"] == "value_error":
        return str(context["error"])
    text: str = item["msg"]
    return text.replace("Input should be", "should be").replace("Value should", "should")


def with_driver(url: str) -> str:
    """A database URL as SQLAlchemy wants it for psycopg."""
    return f"postgresql+psycopg://{url.partition('://')[2]}"
