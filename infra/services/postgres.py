"""PostgreSQL: the portal's database."""

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from infra.resources.container import (
    ContainerArgs,
    publish_in_development,
    published_address,
    run_container,
)
from infra.engine.data_guard import DataGuard
from infra.resources.image import ImageRecipe
from infra.naming import Naming
from infra.resources.secret import Secret, secret_url
from infra.settings.loading import Settings
from infra.resources.volume import create_data_volume, mount_volume

POSTGRES_IMAGE = ImageRecipe(role="postgres", base="postgres", context="docker/postgres")
DATABASE = "devportal"
APP_USER = "devportal_user"
BACKUP_USER = "devportal_backup"
_MIGRATOR_USER = "devportal_migrator"
_PORT = 5432
_UID = _GID = 70
_DATA_PATH = "/var/lib/postgresql/data"


@dataclass(frozen=True, kw_only=True)
class PostgresArgs:
    """What the server is given: its image, its network and the passwords of its roles."""

    image: pulumi.Input[str]
    network: pulumi.Input[str]
    superuser_password: Secret
    migrator_password: Secret
    app_password: Secret
    backup_password: Secret


class Postgres(pulumi.ComponentResource):
    """One PostgreSQL server and its data volume."""

    app_url: Secret
    """URL for the application's role, which may not change the schema."""
    backup_credentials: Secret
    """A line of libpq's password file for the role that may read everything, and no more."""
    migration_url: Secret
    """URL for the role that owns the schema."""
    published_address: pulumi.Output[str]
    """`address:port` on the host; empty where nothing is published."""

    def __init__(
        self,
        name: str,
        args: PostgresArgs,
        settings: Settings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("devportal:infra:Postgres", name, None, opts)
        address = f"postgres:{_PORT}/{DATABASE}"
        self.app_url = secret_url("postgresql", APP_USER, args.app_password, address)
        self.migration_url = secret_url(
            "postgresql", _MIGRATOR_USER, args.migrator_password, address
        )
        self.backup_credentials = args.backup_password.apply(
            lambda password: f"postgres:{_PORT}:{DATABASE}:{BACKUP_USER}:{_escape(password)}\n"
        )
        server = self._run_server(args, settings)
        self.published_address = published_address(server, settings)
        self.register_outputs({})

    def _run_server(self, args: PostgresArgs, settings: Settings) -> docker.Container:
        own = settings.postgres
        guarded = self._create_data(settings)
        container = ContainerArgs(
            role="postgres",
            image=args.image,
            uid=_UID,
            gid=_GID,
            networks=[args.network],
            command=["postgres", "-c", f"max_connections={own.max_connections}"],
            environment={
                "POSTGRES_USER": "postgres",
                "POSTGRES_DB": DATABASE,
                "POSTGRES_PASSWORD_FILE": "/run/secrets/postgres_password",
                # Unless the guard has given leave to begin with it.
                "EMPTY_VOLUME": "refuse",
                **fresh_start(settings),
            },
            secret_files={
                "postgres_password": args.superuser_password,
                "migrator_password": args.migrator_password,
                "app_password": args.app_password,
                "backup_password": args.backup_password,
            },
            mounts=[mount_volume(guarded.volume, _DATA_PATH)],
            ports=publish_in_development(
                settings, internal=_PORT, external=settings.ports.postgres
            ),
            tmpfs_mb={"/tmp": 64, "/var/run/postgresql": 8},
            memory_mb=own.memory_mb,
            shared_memory_mb=own.shared_memory_mb,
            cpus=own.cpus,
            # PostgreSQL's fast shutdown: ends sessions, writes a checkpoint.
            stop_signal="SIGINT",
            stop_seconds=own.stop_seconds,
        )
        return run_container("postgres", container, settings, self)

    def _create_data(self, settings: Settings) -> DataGuard:
        retain = settings.retain_data
        data = create_data_volume("postgres", Naming(settings.stack), retain=retain, parent=self)
        return DataGuard(
            "postgres-data-guard",
            volume=data.name,
            uid=_UID,
            gid=_GID,
            retain=retain,
            fresh_start=settings.postgres.fresh_start,
            opts=pulumi.ResourceOptions(parent=self, protect=retain),
        )


def fresh_start(settings: Settings) -> dict[str, str]:
    """For whoever has to start anew when the database does."""
    word = settings.postgres.fresh_start
    return {} if word is None else {"FRESH_START": word}


def _escape(text: str) -> str:
    """As libpq's password file wants a field."""
    return text.replace("\\", "\\\\").replace(":", "\\:")
