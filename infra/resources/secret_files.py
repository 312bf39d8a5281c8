"""Secrets as files: a volume of their own for each service, mounted where `*_FILE` expects it."""

from collections.abc import Mapping

import pulumi
import pulumi_docker as docker

from infra.engine.address import EngineAddress
from infra.engine.volume_files import VolumeFiles
from infra.naming import Naming
from infra.resources.volume import create_files_volume, mount_volume

SECRETS_PATH = "/run/secrets"


class SecretFiles(pulumi.ComponentResource):
    """Secret files of one service, mode 0400, owned by its user.

    Parameters
    ----------
    image
        Image of the service; it must be on the engine before the files can be written.
    files
        Secret text of each file by its name.
    """

    mount: docker.ContainerMountArgs
    """Read-only mount for the service's container."""
    revision: pulumi.Output[str]
    """A random word, new with each write; it reveals nothing of the files."""

    def __init__(
        self,
        role: str,
        naming: Naming,
        *,
        image: pulumi.Input[str],
        files: Mapping[str, pulumi.Input[str]],
        uid: int,
        gid: int,
        engine: EngineAddress,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("devportal:infra:SecretFiles", f"{role}-secret-files", None, opts)
        volume = create_files_volume(role, naming, parent=self)
        written = VolumeFiles(
            f"{role}-files",
            volume=volume.name,
            image=image,
            files=files,
            uid=uid,
            gid=gid,
            engine=engine,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.mount = mount_volume(volume.name, SECRETS_PATH, read_only=True)
        self.revision = written.revision
        self.register_outputs({})
