"""PostgreSQL: the portal's database."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from infra.engine.data_guard import DataGuard
from infra.resources.container import RunningContainer, run_container
from infra.resources.container_args import ContainerArgs, ContainerDefaults, PublishedPort
from infra.resources.image import ImageRecipe
from infra.resources.secret import Secret, secret_url
from infra.resources.volume import create_data_volume, mount_volume
from infra.settings import PostgresSettings

POSTGRES_IMAGE = ImageRecipe(role="postgres", base="postgres", context="docker/postgres")
POSTGRES_HOST, POSTGRES_PORT = "postgres", 5432
DATABASE = "devportal"
# May read everything and change nothing.
BACKUP_USER = "devportal_backup"
_APP_USER = "devportal_user"
_MIGRATOR_USER = "devportal_migrator"
_UID = _GID = 70
_DATA_PATH = "/var/lib/postgresql/data"


@dataclass(frozen=True, kw_only=True)
class PostgresArgs:
    """Inputs of the server.

    Parameters
    ----------
    superuser_password, migrator_password, app_password, backup_password
        Passwords of its roles.
    retain_data
        Keep the data volume on the engine when the stack goes, and take its loss for a mistake.
    ports
        Where the host publishes `POSTGRES_PORT`.
    """

    image: pulumi.Input[str]
    network: pulumi.Input[str]
    settings: PostgresSettings
    defaults: ContainerDefaults
    superuser_password: Secret
    migrator_password: Secret
    app_password: Secret
    backup_password: Secret
    retain_data: bool
    ports: Sequence[PublishedPort]


class Postgres(pulumi.ComponentResource):
    """One PostgreSQL server and its data volume."""

    app_url: Secret
    """URL for the application's role, which may not change the schema."""
    migration_url: Secret
    """URL for the role that owns the schema."""
    server: RunningContainer

    def __init__(
        self, name: str, args: PostgresArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("devportal:infra:Postgres", name, None, opts)
        address = f"{POSTGRES_HOST}:{POSTGRES_PORT}/{DATABASE}"
        self.app_url = secret_url("postgresql", _APP_USER, args.app_password, address)
        self.migration_url = secret_url(
            "postgresql", _MIGRATOR_USER, args.migrator_password, address
        )
        self.server = run_container("postgres", self._describe(args), args.defaults, self)
        self.register_outputs({})

    def _describe(self, args: PostgresArgs) -> ContainerArgs:
        own = args.settings
        data = self._create_data(args)
        return ContainerArgs(
            role="postgres",
            image=args.image,
            uid=_UID,
            gid=_GID,
            networks=[args.network],
            command=["postgres", "-c", f"max_connections={own.max_connections}"],
            environment=_environment(own),
            secret_files={
                "postgres_password": args.superuser_password,
                "migrator_password": args.migrator_password,
                "app_password": args.app_password,
                "backup_password": args.backup_password,
            },
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

    def _create_data(self, args: PostgresArgs) -> DataGuard:
        retain = args.retain_data
        data = create_data_volume("postgres", args.defaults.naming, retain=retain, parent=self)
        return DataGuard(
            "postgres-data-guard",
            volume=data.name,
            uid=_UID,
            gid=_GID,
            retain=retain,
            fresh_start=args.settings.fresh_start,
            engine=args.defaults.engine,
            opts=pulumi.ResourceOptions(parent=self, protect=retain),
        )


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
