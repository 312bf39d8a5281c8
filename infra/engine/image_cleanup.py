"""Removes a stack's images when the stack is destroyed.

While it lives the older ones stay, for a rollback; the docker provider knows the newest alone.
"""

import docker
import pulumi
from docker.errors import ImageNotFound

from infra.engine.address import EngineAddress
from infra.engine.resource import EngineProvider, EngineResource, Props, engine_of
from infra.errors import ProviderError
from infra.naming import STACK_LABEL


class ImageInUseError(ProviderError):
    """A container that is not the stack's runs one of its images."""


class _ImageCleanupProvider(EngineProvider):
    key = "stack"
    identity = ("stack",)

    def put(self, olds: Props, news: Props) -> Props:
        return {}

    def delete(self, _id: str, _props: Props) -> None:
        remove_images(engine_of(_props), _props["stack"])


def remove_images(client: docker.DockerClient, stack: str) -> None:
    """Remove every image labelled with the stack's name that no container needs.

    Raises
    ------
    ImageInUseError
        Raised when containers of others use some; the rest is gone.
    """
    in_use: list[str] = []
    for image in client.images.list(filters={"label": f"{STACK_LABEL}={stack}"}):
        assert image.id is not None
        users = client.containers.list(
            all=True, ignore_removed=True, filters={"ancestor": image.id}
        )
        if users:
            in_use += [f"'{user.name}' runs '{(image.tags or [image.id])[0]}'" for user in users]
            continue
        try:
            client.images.remove(image.id, force=True)
        except ImageNotFound:
            # An older version went together with the newer one that was built on it.
            continue
    if in_use:
        raise ImageInUseError(
            f"images of stack {stack}: should be free (got: {', '.join(in_use)}). Remove these "
            "containers, they are not the stack's; then run this again."
        )


class ImageCleanup(EngineResource, module="devportal", name="ImageCleanup"):
    """Owns the removal of every image labelled with the stack's name."""

    def __init__(
        self,
        name: str,
        stack: str,
        engine: EngineAddress,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(_ImageCleanupProvider(), name, engine, {"stack": stack}, opts)
