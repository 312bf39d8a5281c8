"""PostgreSQL: the portal's database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pulumi

from infra.engine.data_guard import DataGuard
from infra.resources.container import run_container
from infra.resources.container_args import ContainerArgs, ContainerDefaults, PublishedPort
from infra.resources.image import ImageRecipe
from infra.resources.secret import Secret, secret_url
from infra.resources.secret_files import SECRETS_PATH
from infra.resources.volume import create_data_volume, mount_volume
from infra.settings import PostgresSettings
from infra.settings.external import DATABASE

POSTGRES_IMAGE = ImageRecipe(role="postgres", base="postgres", context="docker/postgres")
POSTGRES_PORT = 5432
# May read everything and change nothing.
BACKUP_USER = "devportal_backup"
_APP_USER = "devportal_user"
_MIGRATOR_USER = "devportal_migrator"
UID = GID = 70
_DATA_PATH = "/var/lib/postgresql/data"


@dataclass(frozen=True, kw_only=True)
class PostgresArgs:
    """Inputs of the server.

    Parameters
    ----------
    role_passwords
        `migrator_password`, `app_password` and `backup_password`.
    ports
        Where the host publishes `POSTGRES_PORT`, if it does.
    """

    image: pulumi.Input[str]
    network: pulumi.Input[str]
    settings: PostgresSettings
    defaults: ContainerDefaults
    superuser_password: Secret
    role_passwords: Mapping[str, Secret]
    ports: Sequence[PublishedPort] = ()


@dataclass(frozen=True, kw_only=True)
class DatabaseAddress:
    """Where the stack's containers reach the database.

    Parameters
    ----------
    tls
        Options of libpq for TLS, as a URL has them.
    files
        Texts below `/run/secrets`, by name, that `tls` names.
    """

    host: str
    port: int
    tls: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Secret] = field(default_factory=dict)

    def url(self, user: str, password: Secret) -> Secret:
        """The portal's database as that role."""
        query = f"?{urlencode(self.tls, safe='/')}" if self.tls else ""
        return secret_url(
            "postgresql", user, password, f"{self.host}:{self.port}/{DATABASE}{query}"
        )

    def variables(self, user: str, **more: str) -> dict[str, str]:
        """What libpq's commands read from their environment, to log in as that role."""
        return {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": user,
            **more,
            "PGPASSFILE": f"{SECRETS_PATH}/pgpass",
            **{f"PG{name.upper()}": value for name, value in self.tls.items()},
        }

    def password_file(self, database: str, user: str, password: Secret) -> Secret:
        """The file that `variables` names; `*` is any database."""
        login = f"{self.host}:{self.port}:{database}:{escape_password(user)}"
        return password.apply(lambda text: f"{login}:{escape_password(text)}\n")


OWN_ADDRESS = DatabaseAddress(host="postgres", port=POSTGRES_PORT)
"""Of the server that the stack runs itself."""


class Postgres(pulumi.ComponentResource):
    """One PostgreSQL server and its data volume."""

    app_url: Secret
    """URL for the application's role, which may not change the schema."""
    migration_url: Secret
    """URL for the role that owns the schema."""
    address: DatabaseAddress
    outputs: Mapping[str, pulumi.Output[str]]
    """What the stack exports of it."""
    ready: Sequence[pulumi.Resource]
    """What has to be there before something uses it."""

    def __init__(self, name: str, args: PostgresArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("devportal:infra:Postgres", name, None, opts)
        self.address = OWN_ADDRESS
        self.app_url, self.migration_url = postgres_urls(args, self.address)
        described = describe_postgres(args, self)
        server = run_container(described, args.defaults, self)
        self.ready = [server.ready]
        self.outputs = {"postgres_address": server.published(POSTGRES_PORT)} if args.ports else {}
        self.register_outputs({})


def postgres_urls(args: PostgresArgs, address: DatabaseAddress) -> tuple[Secret, Secret]:
    """For the application's role, and for the one that owns the schema."""
    return (
        address.url(_APP_USER, args.role_passwords["app_password"]),
        address.url(_MIGRATOR_USER, args.role_passwords["migrator_password"]),
    )


def describe_postgres(args: PostgresArgs, parent: pulumi.Resource) -> ContainerArgs:
    """The server, with its data volume as a child of `parent`."""
    own = args.settings
    data = create_data(args, parent)
    return ContainerArgs(
        role="postgres",
        image=args.image,
        uid=UID,
        gid=GID,
        networks=[args.network],
        command=_command(own),
        environment=_environment(own),
        secret_files={"postgres_password": args.superuser_password, **args.role_passwords},
        mounts=[mount_volume(data.volume, _DATA_PATH)],
        ports=args.ports,
        tmpfs_mb={"/tmp": 64, "/var/run/postgresql": 8},
        memory_mb=own.memory_mb,
        shared_memory_mb=own.shared_memory_mb,
        cpus=own.cpus,
        # PostgreSQL's fast shutdown: ends sessions, writes a checkpoint.
        stop_signal="SIGINT",
        stop_seconds=own.stop_seconds,
    )


def create_data(args: PostgresArgs, parent: pulumi.Resource, *, is_used: bool = True) -> DataGuard:
    """The data volume, and what remembers that it holds data."""
    retain = args.defaults.retain_data
    data = create_data_volume("postgres", args.defaults, parent)
    return DataGuard(
        "postgres-data-guard",
        volume=data.name,
        uid=UID,
        gid=GID,
        retain=retain,
        is_used=is_used,
        fresh_start=args.settings.fresh_start,
        engine=args.defaults.engine,
        opts=pulumi.ResourceOptions(parent=parent, protect=retain),
    )


def _command(settings: PostgresSettings) -> list[str]:
    """With the shares of its memory that PostgreSQL's documentation advises."""
    options = {
        "max_connections": str(settings.max_connections),
        "shared_buffers": f"{settings.memory_mb // 4}MB",
        "effective_cache_size": f"{settings.memory_mb // 2}MB",
    }
    return ["postgres", *(word for pair in options.items() for word in ("-c", "=".join(pair)))]


def _environment(settings: PostgresSettings) -> dict[str, str]:
    environment = {
        "POSTGRES_USER": "postgres",
        "POSTGRES_DB": DATABASE,
        "POSTGRES_PASSWORD_FILE": "/run/secrets/postgres_password",
        # Unless the guard has written a permit to start with it.
        "EMPTY_VOLUME": "refuse",
    }
    if settings.fresh_start is not None:
        environment["FRESH_START"] = settings.fresh_start
    return environment


def escape_password(password: str) -> str:
    """A password as libpq's password file has it: `:` and the backslash escaped."""
    return password.replace("\\", "\\\\").replace(":", "\\:")
