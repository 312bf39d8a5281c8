"""Named volumes: data that must be kept, and files that are written anew."""

import pulumi
import pulumi_docker as docker

from infra.engine.volume_access import has_volume
from infra.naming import Naming
from infra.resources.container_args import ContainerDefaults


def has_data_volume(role: str, defaults: ContainerDefaults) -> bool:
    """Whether the engine has data of a service that does not run, and that goes with `destroy`.

    Such a volume is declared as well: it may be protected in the state, and an update that leaves
    out what is protected fails.
    """
    return has_volume(defaults.engine, defaults.naming.physical(f"{role}-data"))


def create_data_volume(
    role: str, defaults: ContainerDefaults, parent: pulumi.Resource
) -> docker.Volume:
    """A volume for data; with `retain_data` it outlives the stack, and is not to be deleted.

    Its name, driver and labels never change: each change would replace it by an empty one.
    """
    opts = pulumi.ResourceOptions(
        parent=parent,
        protect=defaults.retain_data,
        retain_on_delete=defaults.retain_data,
        # Somebody has brought it back by hand, on another disk for instance: not a reason to
        # delete it with what is in it.
        ignore_changes=["labels", "driver", "driverOpts"],
    )
    return _create_volume(f"{role}-data", defaults.naming, opts)


def create_record_volume(role: str, naming: Naming, parent: pulumi.Resource) -> docker.Volume:
    """A volume for what a service has observed: its loss is none of data, it goes with the service.

    Protected, it would keep the service from being switched off again.
    """
    return _create_volume(f"{role}-record", naming, pulumi.ResourceOptions(parent=parent))


def create_files_volume(role: str, naming: Naming, parent: pulumi.Resource) -> docker.Volume:
    """A volume for secret files, which `VolumeFiles` can write again."""
    return _create_volume(f"{role}-secrets", naming, pulumi.ResourceOptions(parent=parent))


def _create_volume(role: str, naming: Naming, opts: pulumi.ResourceOptions) -> docker.Volume:
    name, labels = naming.physical(role), naming.label_list(role)
    return docker.Volume(role, name=name, labels=labels, opts=opts)


def mount_volume(
    volume: pulumi.Input[str], path: str, *, read_only: bool = False
) -> docker.ContainerMountArgs:
    """A named volume at `path`."""
    return docker.ContainerMountArgs(type="volume", source=volume, target=path, read_only=read_only)
