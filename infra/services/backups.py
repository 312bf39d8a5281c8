"""Backups: copies of the database, taken and tried out by the stack itself."""

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from infra.resources.container import ContainerArgs, run_container
from infra.resources.image import ImageRecipe
from infra.naming import Naming
from infra.services.postgres import BACKUP_USER, DATABASE
from infra.resources.secret import Secret
from infra.settings.loading import Settings
from infra.resources.volume import create_data_volume, mount_volume

BACKUPS_IMAGE = ImageRecipe(role="backups", base="postgres", context="docker/backups")
_UID = _GID = 70
_STORE_PATH = "/backups"
_HOUR, _DAY = 3600, 86400


@dataclass(frozen=True, kw_only=True)
class BackupsArgs:
    """What the service is given: its image, PostgreSQL's network and a line of a password file.

    Parameters
    ----------
    portal
        What migrates the schema: the first backup is to hold it.
    """

    image: pulumi.Input[str]
    network: pulumi.Input[str]
    credentials: Secret
    portal: pulumi.Resource


class Backups(pulumi.ComponentResource):
    """One container with the clock and the backups; it may read the database, and no more."""

    def __init__(
        self,
        name: str,
        args: BackupsArgs,
        settings: Settings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("devportal:infra:Backups", name, None, opts)
        own = settings.backups
        container = ContainerArgs(
            role="backups",
            image=args.image,
            uid=_UID,
            gid=_GID,
            networks=[args.network],
            environment=_environment(settings),
            secret_files={"pgpass": args.credentials},
            mounts=[self._mount_store(settings)],
            # The base image would have the engine make a volume for data that is not here.
            tmpfs_mb={"/tmp": 16, "/var/lib/postgresql/data": 1},
            memory_mb=own.memory_mb,
            cpus=own.cpus,
            stop_seconds=10,
            # Not the component: its volume, which outlives the stack, would keep the portal.
            depends_on=[args.portal],
        )
        run_container("backups", container, settings, self)
        self.register_outputs({})

    def _mount_store(self, settings: Settings) -> docker.ContainerMountArgs:
        if folder := settings.backups.host_folder:
            return docker.ContainerMountArgs(type="bind", source=folder, target=_STORE_PATH)
        naming = Naming(settings.stack)
        store = create_data_volume("backups", naming, retain=settings.retain_data, parent=self)
        return mount_volume(store.name, _STORE_PATH)


def _environment(settings: Settings) -> dict[str, str]:
    own = settings.backups
    return {
        "PGHOST": "postgres",
        "PGUSER": BACKUP_USER,
        "PGDATABASE": DATABASE,
        "PGPASSFILE": "/run/secrets/pgpass",
        "PGCONNECT_TIMEOUT": "10",
        "BACKUP_INTERVAL_SECONDS": str(own.interval_hours * _HOUR),
        "BACKUP_RETENTION_SECONDS": str(own.retention_days * _DAY),
        "BACKUP_CHECK_INTERVAL_SECONDS": str(own.check_interval_hours * _HOUR),
    }
