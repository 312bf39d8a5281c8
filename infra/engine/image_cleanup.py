"""Removes a stack's images when the stack is destroyed, which docker.Image itself does not."""

from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider

from infra.errors import ProviderError
from infra.naming import STACK_LABEL

if TYPE_CHECKING:
    from docker import DockerClient

_IDENTITY = ("stack", "docker_host")


class ImageInUseError(ProviderError):
    """A container that is not the stack's runs one of its images."""


class _ImageCleanupProvider(ResourceProvider):
    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(props["stack"], props)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        replaces = [key for key in _IDENTITY if _olds.get(key) != _news.get(key)]
        return DiffResult(changes=bool(replaces), replaces=replaces)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        from infra.engine.client import connect

        remove_images(connect(_props["docker_host"]), _props["stack"])


def remove_images(client: "DockerClient", stack: str) -> None:
    """Remove every image labelled with the stack's name that no container needs.

    Raises
    ------
    ImageInUseError
        Raised when containers of others use some; the rest is gone.
    """
    from docker.errors import ImageNotFound

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


class ImageCleanup(Resource, module="devportal", name="ImageCleanup"):
    """Owns the removal of every image labelled with the stack's name."""

    def __init__(self, name: str, stack: str, opts: pulumi.ResourceOptions | None = None) -> None:
        host = pulumi.Config("docker").get("host") or ""
        super().__init__(_ImageCleanupProvider(), name, {"stack": stack, "docker_host": host}, opts)
