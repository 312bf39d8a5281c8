"""PostgreSQL: the portal's database."""

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from infra.container import (
    ContainerArgs,
    publish_in_development,
    published_address,
    run_container,
)
from infra.images import ImageRecipe
from infra.naming import Naming
from infra.secrets import Secret, secret_url
from infra.settings import Settings
from infra.volumes import create_data_volume, mount_volume

POSTGRES_IMAGE = ImageRecipe(role="postgres", base="postgres", context="docker/postgres")
DATABASE = "devportal"
APP_USER = "devportal_user"
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


class Postgres(pulumi.ComponentResource):
    """One PostgreSQL server and its data volume."""

    app_url: Secret
    """URL for the application's role, which may not change the schema."""
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
        server = self._run_server(args, settings)
        self.published_address = published_address(server, settings)
        self.register_outputs({})

    def _run_server(self, args: PostgresArgs, settings: Settings) -> docker.Container:
        own = settings.postgres
        data = create_data_volume(
            "postgres", Naming(settings.stack), retain=settings.retain_data, parent=self
        )
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
            },
            secret_files={
                "postgres_password": args.superuser_password,
                "migrator_password": args.migrator_password,
                "app_password": args.app_password,
            },
            mounts=[mount_volume(data.name, _DATA_PATH)],
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
