"""Backups: copies of the database that the stack itself takes and restores to test them."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from infra.resources.container import RunningContainer, run_container
from infra.resources.container_args import ContainerArgs, ContainerDefaults
from infra.resources.image import ImageRecipe
from infra.resources.secret import Secret
from infra.resources.volume import create_data_volume, has_data_volume, mount_volume
from infra.services.postgres import BACKUP_USER, DatabaseAddress
from infra.settings import BackupSettings
from infra.settings.external import DATABASE

BACKUPS_IMAGE = ImageRecipe(role="backups", base="postgres", context="docker/backups")
_TYPE = "devportal:infra:Backups"
_UID = _GID = 70
_STORE_PATH = "/backups"
_HOUR, _DAY = 3600, 86400
_INTERVALS = ("BACKUP_INTERVAL_SECONDS", "BACKUP_CHECK_INTERVAL_SECONDS")


@dataclass(frozen=True, kw_only=True)
class BackupsArgs:
    """Inputs of the service.

    Parameters
    ----------
    address, password
        The database, and the password of the role that may read all of it.
    network
        Network on which the database is found.
    depends_on
        What has migrated the schema: the first backup is to hold it.
    """

    image: pulumi.Input[str]
    network: pulumi.Input[str]
    settings: BackupSettings
    defaults: ContainerDefaults
    address: DatabaseAddress
    password: Secret
    depends_on: Sequence[pulumi.Resource]


class Backups(pulumi.ComponentResource):
    """One container with the clock and the backups; it may read the database and change nothing."""

    service: RunningContainer
    store: docker.ContainerMountArgs
    """The folder of the backups, for reading."""
    schedule: dict[str, str]
    """Where the backups are and when they are due, as variables."""

    def __init__(self, name: str, args: BackupsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__(_TYPE, name, None, opts)
        container = describe_backups(args, self)
        [store] = container.mounts
        self.store = _for_reading(store)
        intervals = {name: _environment(args)[name] for name in _INTERVALS}
        self.schedule = {"BACKUP_STORE": _STORE_PATH, **intervals}
        self.service = run_container(container, args.defaults, self)
        self.register_outputs({})


def describe_backups(args: BackupsArgs, parent: pulumi.Resource) -> ContainerArgs:
    """The container with the clock, with its volume as a child of `parent`."""
    return ContainerArgs(
        role="backups",
        image=args.image,
        uid=_UID,
        gid=_GID,
        networks=[args.network],
        environment=_environment(args),
        secret_files={
            "pgpass": args.address.password_file(DATABASE, BACKUP_USER, args.password),
            **args.address.files,
        },
        mounts=[_mount_store(args, parent)],
        # The base image would have the engine make a volume for data that is not here.
        tmpfs_mb={"/tmp": 16, "/var/lib/postgresql/data": 1},
        memory_mb=args.settings.memory_mb,
        cpus=args.settings.cpus,
        stop_seconds=10,
        depends_on=args.depends_on,
    )


def _mount_store(args: BackupsArgs, parent: pulumi.Resource) -> docker.ContainerMountArgs:
    folder = args.settings.host_folder
    # What was backed up before the folder was set stays where it is.
    if not folder or has_data_volume("backups", args.defaults):
        store = create_data_volume("backups", args.defaults, parent)
        if not folder:
            return mount_volume(store.name, _STORE_PATH)
    return docker.ContainerMountArgs(type="bind", source=folder, target=_STORE_PATH)


class KeptBackups(pulumi.ComponentResource):
    """The volume alone, where backups are switched off: those that are there stay."""

    def __init__(
        self, name: str, defaults: ContainerDefaults, opts: pulumi.ResourceOptions
    ) -> None:
        super().__init__(_TYPE, name, None, opts)
        create_data_volume("backups", defaults, self)
        self.register_outputs({})


def _environment(args: BackupsArgs) -> dict[str, str]:
    own = args.settings
    return {
        **args.address.variables(BACKUP_USER, PGDATABASE=DATABASE),
        "PGCONNECT_TIMEOUT": "10",
        "BACKUP_INTERVAL_SECONDS": str(own.interval_hours * _HOUR),
        "BACKUP_RETENTION_SECONDS": str(own.retention_days * _DAY),
        "BACKUP_CHECK_INTERVAL_SECONDS": str(own.check_interval_hours * _HOUR),
    }


def _for_reading(mount: docker.ContainerMountArgs) -> docker.ContainerMountArgs:
    return docker.ContainerMountArgs(
        type=mount.type, source=mount.source, target=mount.target, read_only=True
    )
