"""Backups: copies of the database that the stack itself takes and restores to test them."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from infra.resources.container import RunningContainer, run_container
from infra.resources.container_args import ContainerArgs, ContainerDefaults
from infra.resources.image import ImageRecipe
from infra.resources.secret import Secret
from infra.resources.volume import create_data_volume, mount_volume
from infra.settings import BackupSettings

BACKUPS_IMAGE = ImageRecipe(role="backups", base="postgres", context="docker/backups")
_UID = _GID = 70
_STORE_PATH = "/backups"
_HOUR, _DAY = 3600, 86400
_INTERVALS = ("BACKUP_INTERVAL_SECONDS", "BACKUP_CHECK_INTERVAL_SECONDS")


@dataclass(frozen=True, kw_only=True)
class BackupsArgs:
    """Inputs of the service.

    Parameters
    ----------
    host, port, database, user, password
        The database, and a role that may read all of it.
    network
        Network on which the host is found.
    retain_data
        Keep the volume of backups on the engine when the stack goes.
    depends_on
        What has migrated the schema: the first backup is to hold it.
    """

    image: pulumi.Input[str]
    network: pulumi.Input[str]
    settings: BackupSettings
    defaults: ContainerDefaults
    host: str
    port: int
    database: str
    user: str
    password: Secret
    retain_data: bool
    depends_on: Sequence[pulumi.Resource]


class Backups(pulumi.ComponentResource):
    """One container with the clock and the backups; it may read the database and change nothing."""

    service: RunningContainer
    store: docker.ContainerMountArgs
    """The folder of the backups, for reading."""
    schedule: dict[str, str]
    """Where the backups are and when they are due, as variables."""

    def __init__(
        self, name: str, args: BackupsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("devportal:infra:Backups", name, None, opts)
        store = self._mount_store(args)
        self.store = _for_reading(store)
        environment = _environment(args)
        intervals = {name: environment[name] for name in _INTERVALS}
        self.schedule = {"BACKUP_STORE": _STORE_PATH, **intervals}
        container = ContainerArgs(
            role="backups",
            image=args.image,
            uid=_UID,
            gid=_GID,
            networks=[args.network],
            environment=environment,
            secret_files={"pgpass": _password_file(args)},
            mounts=[store],
            # The base image would have the engine make a volume for data that is not here.
            tmpfs_mb={"/tmp": 16, "/var/lib/postgresql/data": 1},
            memory_mb=args.settings.memory_mb,
            cpus=args.settings.cpus,
            stop_seconds=10,
            depends_on=args.depends_on,
        )
        self.service = run_container("backups", container, args.defaults, self)
        self.register_outputs({})

    def _mount_store(self, args: BackupsArgs) -> docker.ContainerMountArgs:
        if folder := args.settings.host_folder:
            return docker.ContainerMountArgs(type="bind", source=folder, target=_STORE_PATH)
        store = create_data_volume(
            "backups", args.defaults.naming, retain=args.retain_data, parent=self
        )
        return mount_volume(store.name, _STORE_PATH)


def _environment(args: BackupsArgs) -> dict[str, str]:
    own = args.settings
    return {
        "PGHOST": args.host,
        "PGPORT": str(args.port),
        "PGUSER": args.user,
        "PGDATABASE": args.database,
        "PGPASSFILE": "/run/secrets/pgpass",
        "PGCONNECT_TIMEOUT": "10",
        "BACKUP_INTERVAL_SECONDS": str(own.interval_hours * _HOUR),
        "BACKUP_RETENTION_SECONDS": str(own.retention_days * _DAY),
        "BACKUP_CHECK_INTERVAL_SECONDS": str(own.check_interval_hours * _HOUR),
    }


def _for_reading(mount: docker.ContainerMountArgs) -> docker.ContainerMountArgs:
    return docker.ContainerMountArgs(
        type=mount.type, source=mount.source, target=mount.target, read_only=True
    )


def _password_file(args: BackupsArgs) -> Secret:
    login = f"{args.host}:{args.port}:{args.database}:{args.user}"
    return args.password.apply(lambda password: f"{login}:{escape_password(password)}\n")


def escape_password(password: str) -> str:
    """A password as libpq's password file has it: `:` and the backslash escaped."""
    return password.replace("\\", "\\\\").replace(":", "\\:")
