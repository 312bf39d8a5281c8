"""Every resource type this provider has, by its token."""

import functools
import importlib
from typing import Final

from plugins.docker.errors import ResourceError
from plugins.docker.resource import Resource

_FOLDER = "plugins.docker.resources"
# Imported on first use: the Docker SDK, which some need, takes as long as the rest of the start.
HANDLERS: Final = {
    "docker:index/container:Container": ("container.resource", "ContainerResource"),
    "docker:index/image:Image": ("image", "ImageResource"),
    "docker:index/network:Network": ("network", "NetworkResource"),
    "docker:index/registryImage:RegistryImage": ("registry_image", "RegistryImageResource"),
    "docker:index/remoteImage:RemoteImage": ("remote_image", "RemoteImageResource"),
    "docker:index/tag:Tag": ("tag", "TagResource"),
    "docker:index/volume:Volume": ("volume", "VolumeResource"),
}
"""Module and class of each handler."""


@functools.cache
def find_resource(token: str) -> Resource:
    """The handler of a resource type.

    Raises
    ------
    ResourceError
        Raised for a type which only the official provider has.
    """
    if token not in HANDLERS:
        supported = ", ".join(sorted(known.rpartition(":")[2] for known in HANDLERS))
        raise ResourceError(
            f"{token}: is not supported by this provider (it has {supported}). "
            "Use the official docker provider for it."
        )
    module, name = HANDLERS[token]
    return getattr(importlib.import_module(f"{_FOLDER}.{module}"), name)()
