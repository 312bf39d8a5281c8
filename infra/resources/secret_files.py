"""Secrets as files: a volume of their own for each service, mounted where `*_FILE` expects it."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from infra.engine.address import EngineAddress
from infra.engine.volume_files import VolumeFiles
from infra.naming import Naming
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
    role: str,
    naming: Naming,
    *,
    image: pulumi.Input[str],
    files: Mapping[str, pulumi.Input[str]],
    uid: int,
    gid: int,
    engine: EngineAddress,
    parent: pulumi.Resource,
) -> SecretFiles:
    """Write the secret files of one service, mode 0400, owned by its user.

    No component of its own: Pulumi deletes in waves by the depth of a resource, and the provider
    waits 2 s for each volume. At the same depth as networks and data volumes all wait at once.

    Parameters
    ----------
    image
        Image of the service; it must be on the engine before the files can be written.
    files
        Secret text of each file by its name.
    """
    volume = create_files_volume(role, naming, parent=parent)
    written = VolumeFiles(
        f"{role}-files",
        volume=volume.name,
        image=image,
        files=files,
        uid=uid,
        gid=gid,
        engine=engine,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return SecretFiles(mount_volume(volume.name, SECRETS_PATH, read_only=True), written.revision)
