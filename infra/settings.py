"""Typed settings of one stack; the only reader of its configuration."""

import json
import os
import re
from enum import StrEnum
from typing import Annotated, Any, Self

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env, is_config_secret
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from infra.errors import SettingsError
from infra.mistakes import describe_mistakes

NAMESPACE = "devportal"
IMAGE_SOURCE_VARIABLE = "DEVPORTAL_IMAGE_SOURCE"

# Image references are lower case, and a container name starts with a letter or digit.
_STACK_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,30}")

_DEVELOPMENT_ONLY = {
    "reload": "Code in production comes from the image alone.",
    "debug": "Debug answers show the application's inside.",
    "seed": "Seed data is for development.",
}


class Environment(StrEnum):
    """What the stack is for; decides nothing that a setting can decide."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class ImageSource(StrEnum):
    """Where base images come from."""

    AUTO = "auto"
    OFFICIAL = "official"
    PACKAGES = "packages"


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Port = Annotated[int, Field(ge=0, le=65535)]
Cpus = Annotated[float, Field(ge=0.1, le=64)]


class PortSettings(_Group):
    """Host ports, published on `bind_address`; 0 lets the engine choose a free one."""

    bind_address: str = "127.0.0.1"
    portal: Port = 8000
    postgres: Port = 5433
    redis: Port = 6380
    adminer: Port = 8081
    redis_commander: Port = 8082


class AppSettings(_Group):
    """The portal's containers and what the application reads from its environment."""

    replicas: Annotated[int, Field(ge=1, le=16)] = 1
    reload: bool = False
    debug: bool = False
    seed: bool = False
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"
    jwt_expire_minutes: Annotated[int, Field(ge=1, le=1440)] = 30
    allowed_origins: list[str] = ["http://localhost:3000", "http://localhost:8080"]
    admin_email: str = "admin@example.com"
    database_pool_size: Annotated[int, Field(ge=1, le=100)] = 5
    memory_mb: Annotated[int, Field(ge=64, le=65536)] = 512
    cpus: Cpus = 1.0
    drain_seconds: Annotated[int, Field(ge=1, le=600)] = 30


class PostgresSettings(_Group):
    """The PostgreSQL server."""

    memory_mb: Annotated[int, Field(ge=128, le=262144)] = 512
    shared_memory_mb: Annotated[int, Field(ge=64, le=65536)] = 256
    cpus: Cpus = 1.0
    max_connections: Annotated[int, Field(ge=10, le=1000)] = 100
    stop_seconds: Annotated[int, Field(ge=10, le=600)] = 60


class RedisSettings(_Group):
    """The Redis server; the container's limit leaves room for the fork that writes a snapshot."""

    max_memory_mb: Annotated[int, Field(ge=16, le=65536)] = 256
    memory_mb: Annotated[int, Field(ge=32, le=131072)] = 512
    cpus: Cpus = 0.5
    stop_seconds: Annotated[int, Field(ge=5, le=600)] = 30


class HealthSettings(_Group):
    """Health checks of every container.

    The plan's interval of 30 s would make every start last 30 s on engines older than 25,
    which ignore the start interval, so the default is shorter; the rest is the plan's.
    """

    interval_seconds: Annotated[int, Field(ge=1, le=59)] = 2
    timeout_seconds: Annotated[int, Field(ge=1, le=59)] = 10
    retries: Annotated[int, Field(ge=1, le=20)] = 3
    start_period_seconds: Annotated[int, Field(ge=0, le=600)] = 60
    wait_seconds: Annotated[int, Field(ge=5, le=1200)] = 120


class LogSettings(_Group):
    """Rotation of container logs; Docker's own default never rotates."""

    max_size_mb: Annotated[int, Field(ge=1, le=1000)] = 10
    max_files: Annotated[int, Field(ge=1, le=20)] = 3


class SecretSettings(_Group):
    """Secrets set by hand; those left out are generated on the first `up`."""

    postgres_password: SecretStr | None = None
    migrator_password: SecretStr | None = None
    app_password: SecretStr | None = None
    redis_password: SecretStr | None = None
    devtools_password: SecretStr | None = None
    secret_key: SecretStr | None = None
    jwt_secret_key: SecretStr | None = None
    admin_password: SecretStr | None = None


class Settings(_Group):
    """Everything one stack can be told, checked and complete."""

    stack: str
    environment: Environment
    devtools: bool = False
    retain_data: bool = True
    image_source: ImageSource = ImageSource.AUTO
    restart: Annotated[str, Field(pattern="^(no|on-failure|unless-stopped|always)$")] = (
        "unless-stopped"
    )
    ports: PortSettings = PortSettings()
    app: AppSettings = AppSettings()
    postgres: PostgresSettings = PostgresSettings()
    redis: RedisSettings = RedisSettings()
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
        raw = _read_raw(config.name)
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
        mistakes += settings.combination_mistakes(config.name)
        if mistakes:
            raise SettingsError(mistakes)
        return settings

    def combination_mistakes(self, namespace: str) -> list[str]:
        """Rules that hold between settings."""
        rules = [
            (
                self.redis.memory_mb < self.redis.max_memory_mb * 3 // 2,
                f"redis.memory_mb: should be at least 1.5 times redis.max_memory_mb "
                f"(got {self.redis.memory_mb} for {self.redis.max_memory_mb}). Raise it: the "
                "snapshot's fork needs room.",
            ),
            (
                self.app.replicas != 1,
                f"app.replicas: should be 1 (got {self.app.replicas}). Nothing stands in front of "
                "the portal yet to share requests out.",
            ),
            (
                self.environment is Environment.PRODUCTION and self.devtools,
                "devtools: should be false in production (got true). Adminer fills its login "
                "form in.",
            ),
            *(
                (
                    self.environment is Environment.PRODUCTION and getattr(self.app, name),
                    f"app.{name}: should be false in production (got true). {reason}",
                )
                for name, reason in _DEVELOPMENT_ONLY.items()
            ),
        ]
        return [f"{namespace}:{message}" for broken, message in rules if broken]

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


def _decode(value: str) -> Any:
    """Pulumi hands every value over as text; objects, numbers and booleans are JSON."""
    try:
        return json.loads(value)
    except ValueError:
        return value
