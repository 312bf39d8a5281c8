"""Secrets as files: a volume of their own for each service, mounted where `*_FILE` expects it."""

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from infra.engine.volume_files import VolumeFiles
from infra.resources.container_args import ContainerArgs, ContainerDefaults
from infra.resources.volume import create_files_volume, mount_volume

SECRETS_PATH = "/run/secrets"


@dataclass(frozen=True)
class SecretFiles:
    """Secret files of one service, written.

    Parameters
    ----------
    mount
        Read-only mount for the service's container.
    revision
        A random word, new with each write; it reveals nothing of the files.
    """

    mount: docker.ContainerMountArgs
    revision: pulumi.Output[str]


def write_secret_files(
    args: ContainerArgs, defaults: ContainerDefaults, parent: pulumi.Resource
) -> SecretFiles | None:
    """Write the secret files of one service, mode 0400, owned by its user; None for no file.

    No component of its own: Pulumi deletes in waves by the depth of a resource, and the provider
    waits 2 s for each volume. At the same depth as networks and data volumes all wait at once.
    """
    if not args.secret_files:
        return None
    volume = create_files_volume(args.role, defaults.naming, parent)
    written = VolumeFiles(
        f"{args.role}-files",
        volume=volume.name,
        # It has to be on the engine before the files can be written.
        image=args.image,
        files=args.secret_files,
        uid=args.uid,
        gid=args.gid,
        engine=defaults.engine,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return SecretFiles(mount_volume(volume.name, SECRETS_PATH, read_only=True), written.revision)
