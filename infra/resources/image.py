"""Images of the stack: each is built by the stack, on the base image its settings choose."""

import json
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_docker as docker

from infra.engine.image_cleanup import ImageCleanup
from infra.naming import Naming
from infra.settings.loading import ImageSource

ROOT = Path(__file__).resolve().parents[2]
_BASE_IMAGES = ROOT / "docker" / "base-images.json"


@dataclass(frozen=True, kw_only=True)
class ImageRecipe:
    """What one image is built from; paths are relative to the project's root.

    Parameters
    ----------
    role
        Folder below `docker/` that holds the Dockerfile.
    base
        Key in `docker/base-images.json`.
    context
        Folder sent to the builder, less what its `.dockerignore` names.
    target
        Stage of the Dockerfile; the last one if not given.
    version
        Version in the image's name and label. Without one the name ends in `latest` and the label
        tells the base's: a version of the project would replace the stores with every release.
    """

    role: str
    base: str
    context: str
    target: str | None = None
    version: str | None = None


class Images(pulumi.ComponentResource):
    """Builds images, and takes them off the engine again when the stack goes."""

    built: dict[str, pulumi.Output[str]]
    """Image id, `sha256:...`, of each role built so far."""

    def __init__(
        self,
        name: str,
        naming: Naming,
        source: ImageSource,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("devportal:infra:Images", name, None, opts)
        self._naming = naming
        self._bases: dict[str, dict[str, str]] = json.loads(_BASE_IMAGES.read_text())
        self._source = source
        self._cleanup = ImageCleanup(
            "image-cleanup", naming.stack, pulumi.ResourceOptions(parent=self)
        )
        self.built = {}
        self.register_outputs({})

    def build(self, recipe: ImageRecipe) -> pulumi.Output[str]:
        """Build an image and return its id, `sha256:...`."""
        base = self._bases[recipe.base][self._source.value]
        image = docker.Image(
            f"{recipe.role}-image",
            image_name=f"{self._naming.physical(recipe.role)}:{recipe.version or 'latest'}",
            build=docker.DockerBuildArgs(
                context=recipe.context,
                dockerfile=f"docker/{recipe.role}/Dockerfile",
                args={
                    "BASE_IMAGE": base,
                    "STACK": self._naming.stack,
                    "VERSION": recipe.version or base.rpartition(":")[2],
                },
                target=recipe.target,
            ),
            skip_push=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self._cleanup]),
        )
        self.built[recipe.role] = image.repo_digest
        return image.repo_digest

    def use(self, role: str, reference: str) -> pulumi.Output[str]:
        """An image that is already built, pulled if the engine has it not; its id."""
        image = docker.RemoteImage(
            f"{role}-image-given",
            name=reference,
            # It is not the stack's own: others may run it, and a rollback wants it.
            keep_locally=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.built[role] = image.image_id
        return image.image_id
