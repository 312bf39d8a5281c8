"""The groups of settings: names, types, bounds and defaults."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr


class Environment(StrEnum):
    """What the stack is for; decides nothing that a setting can decide."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class ImageSource(StrEnum):
    """Where base images come from."""

    AUTO = "auto"
    OFFICIAL = "official"
    PACKAGES = "packages"


class Group(BaseModel):
    """Unknown keys are mistakes; values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_VERSION = "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$"
_VERSION_RULE = "text of 1 to 63 letters, digits, '.', '_' or '-'"


def _spell(value: object) -> object:
    """YAML and the command line make a number of `2`; a fraction has lost digits already."""
    return str(value) if type(value) is int else value


Version = Annotated[
    str, BeforeValidator(_spell), Field(pattern=_VERSION, description=_VERSION_RULE)
]
Port = Annotated[int, Field(ge=0, le=65535)]
Folder = Annotated[
    str, Field(pattern="^/[^:]*[^/:]$", description="an absolute path without a colon")
]
Cpus = Annotated[float, Field(ge=0.1, le=64)]


class TlsMode(StrEnum):
    """Where the certificate comes from."""

    GENERATED = "generated"
    PROVIDED = "provided"


class PortSettings(Group):
    """Host ports, published on `bind_address`; 0 lets the engine choose a free one."""

    bind_address: str = "127.0.0.1"
    https: Port = 443
    http: Port = 80
    portal: Port = 8000
    postgres: Port = 5433
    redis: Port = 6380
    adminer: Port = 8081
    redis_commander: Port = 8082


class AppSettings(Group):
    """The portal's containers and what the application reads from its environment."""

    replicas: Annotated[int, Field(ge=1, le=16)] = 2
    max_surge: Annotated[int, Field(ge=1, le=16)] = 1
    version: Version = "latest"
    image: str | None = None
    reload: bool = False
    debug: bool = False
    seed: bool = False
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"
    jwt_expire_minutes: Annotated[int, Field(ge=1, le=1440)] = 30
    allowed_origins: list[str] = ["http://localhost:3000", "http://localhost:8080"]
    admin_email: str = "admin@example.com"
    anonymous_reads: bool = False
    registration_open: bool = False
    login_attempts_per_minute: Annotated[int, Field(ge=1, le=10_000)] = 10
    refreshes_per_minute: Annotated[int, Field(ge=1, le=10_000)] = 120
    user_requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 1200
    key_requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    database_pool_size: Annotated[int, Field(ge=1, le=100)] = 5
    memory_mb: Annotated[int, Field(ge=64, le=65536)] = 512
    cpus: Cpus = 1.0
    drain_seconds: Annotated[int, Field(ge=1, le=600)] = 30


class NginxSettings(Group):
    """What stands in front of the replicas in production."""

    requests_per_second: Annotated[int, Field(ge=0, le=1_000_000)] = 50
    burst: Annotated[int, Field(ge=0, le=1_000_000)] = 100
    connections_per_client: Annotated[int, Field(ge=0, le=1_000_000)] = 100
    max_body_mb: Annotated[int, Field(ge=1, le=1024)] = 12
    answer_seconds: Annotated[int, Field(ge=1, le=3600)] = 60
    http3: bool = False
    extra_configuration: str = ""
    memory_mb: Annotated[int, Field(ge=32, le=65536)] = 256
    cpus: Cpus = 1.0


class TlsSettings(Group):
    """TLS of the portal: a certificate of the stack's own authority, or one that is given."""

    mode: TlsMode = TlsMode.GENERATED


class PostgresSettings(Group):
    """The PostgreSQL server."""

    memory_mb: Annotated[int, Field(ge=128, le=262144)] = 512
    shared_memory_mb: Annotated[int, Field(ge=64, le=65536)] = 256
    cpus: Cpus = 1.0
    max_connections: Annotated[int, Field(ge=10, le=1000)] = 100
    stop_seconds: Annotated[int, Field(ge=10, le=600)] = 60
    fresh_start: Version | None = None


class BackupSettings(Group):
    """Copies of the database, and how often they are restored to see that they can be."""

    enabled: bool = True
    interval_hours: Annotated[int, Field(ge=1, le=168)] = 6
    retention_days: Annotated[int, Field(ge=1, le=3650)] = 14
    check_interval_hours: Annotated[int, Field(ge=1, le=744)] = 24
    host_folder: Folder | None = None
    memory_mb: Annotated[int, Field(ge=128, le=65536)] = 256
    cpus: Cpus = 0.5


class RedisSettings(Group):
    """The Redis server; the container's limit leaves room for the fork that writes a snapshot."""

    max_memory_mb: Annotated[int, Field(ge=16, le=65536)] = 256
    memory_mb: Annotated[int, Field(ge=32, le=131072)] = 512
    cpus: Cpus = 0.5
    stop_seconds: Annotated[int, Field(ge=5, le=600)] = 30


class HealthSettings(Group):
    """Health checks of every container.

    The plan's interval of 30 s would make every start last 30 s on engines older than 25,
    which ignore the start interval, so the default is shorter; the rest is the plan's.
    """

    interval_seconds: Annotated[int, Field(ge=1, le=59)] = 2
    timeout_seconds: Annotated[int, Field(ge=1, le=59)] = 10
    retries: Annotated[int, Field(ge=1, le=20)] = 3
    start_period_seconds: Annotated[int, Field(ge=0, le=600)] = 60
    wait_seconds: Annotated[int, Field(ge=5, le=1200)] = 120


class LogSettings(Group):
    """Rotation of container logs; Docker's own default never rotates."""

    driver: Annotated[str, Field(pattern="^(json-file|local)$")] = "json-file"
    max_size_mb: Annotated[int, Field(ge=1, le=1000)] = 10
    max_files: Annotated[int, Field(ge=1, le=20)] = 3


class SecretSettings(Group):
    """Secrets set by hand; those left out are generated on the first `up`."""

    postgres_password: SecretStr | None = None
    migrator_password: SecretStr | None = None
    app_password: SecretStr | None = None
    backup_password: SecretStr | None = None
    redis_password: SecretStr | None = None
    devtools_password: SecretStr | None = None
    secret_key: SecretStr | None = None
    jwt_secret_key: SecretStr | None = None
    admin_password: SecretStr | None = None
    tls_certificate: SecretStr | None = None
    tls_key: SecretStr | None = None
