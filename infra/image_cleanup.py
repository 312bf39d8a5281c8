"""Removes a stack's images when the stack is destroyed, which docker.Image itself does not."""

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider

from infra.naming import STACK_LABEL

_IDENTITY = ("stack", "docker_host")


class _ImageCleanupProvider(ResourceProvider):
    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(props["stack"], props)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        replaces = [key for key in _IDENTITY if _olds.get(key) != _news.get(key)]
        return DiffResult(changes=bool(replaces), replaces=replaces)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        from docker.errors import ImageNotFound

        from infra.engine_client import connect

        client = connect(_props["docker_host"])
        for image in client.images.list(filters={"label": f"{STACK_LABEL}={_props['stack']}"}):
            try:
                client.images.remove(image.id, force=True)
            except ImageNotFound:
                # An older version went together with the newer one that was built on it.
                continue


class ImageCleanup(Resource, module="devportal", name="ImageCleanup"):
    """Owns the removal of every image labelled with the stack's name."""

    def __init__(self, name: str, stack: str, opts: pulumi.ResourceOptions | None = None) -> None:
        host = pulumi.Config("docker").get("host") or ""
        super().__init__(_ImageCleanupProvider(), name, {"stack": stack, "docker_host": host}, opts)
