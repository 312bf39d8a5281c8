"""Images of the stack: each is built by the stack, on the base image its settings choose."""

import json
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_docker as docker

from infra.engine.image_cleanup import ImageCleanup
from infra.naming import BUILD_LOGS
from infra.resources.build_context import ROOT, digest_context
from infra.resources.container_args import ContainerDefaults
from infra.settings import ImageSource

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
    given
        Name of an image that is built elsewhere, to be used in place of this one.
    """

    role: str
    base: str
    context: str
    target: str | None = None
    version: str | None = None
    given: str | None = None


class Images(pulumi.ComponentResource):
    """Builds images, and takes them off the engine again when the stack goes.

    Parameters
    ----------
    source
        Which of the base images they are built on.
    registry
        Where official ones come from, if not from where their names say.
    """

    built: dict[str, pulumi.Output[str]]
    """Image id, `sha256:...`, of each role so far."""

    def __init__(
        self,
        name: str,
        source: ImageSource,
        registry: str | None,
        defaults: ContainerDefaults,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("devportal:infra:Images", name, None, opts)
        self._naming, engine = defaults.naming, defaults.engine
        self._bases: dict[str, dict[str, str]] = json.loads(_BASE_IMAGES.read_text())
        self._source, self._registry = source, registry
        # Without it the provider takes the platform of the machine that Pulumi runs on.
        self._platform = defaults.platform
        # BuildKit's client has neither certificates nor ssh for an engine that the program names;
        # the provider's own connection has them, but writes no log.
        self._use_legacy_builder = bool(engine.cert_path) or engine.host.startswith("ssh://")
        self._cleanup = ImageCleanup(
            "image-cleanup", self._naming.stack, engine, pulumi.ResourceOptions(parent=self)
        )
        self.built = {}
        (ROOT / BUILD_LOGS).mkdir(exist_ok=True)
        self.register_outputs({})

    def build(self, recipe: ImageRecipe) -> pulumi.Output[str]:
        """Build an image, or take the one that is given; its id, `sha256:...`."""
        image = self._use(recipe.role, recipe.given) if recipe.given else self._build(recipe)
        self.built[recipe.role] = image.image_id
        return image.image_id

    def _build(self, recipe: ImageRecipe) -> docker.RemoteImage:
        base = self._bases[recipe.base][self._source.value]
        if self._source is ImageSource.OFFICIAL and self._registry:
            base = name_in_registry(base, self._registry)
        dockerfile = Path("docker", recipe.role, "Dockerfile").relative_to(recipe.context)
        return docker.RemoteImage(
            f"{recipe.role}-image",
            name=f"{self._naming.physical(recipe.role)}:{recipe.version or 'latest'}",
            build=docker.RemoteImageBuildArgs(
                context=recipe.context,
                dockerfile=str(dockerfile),
                build_args={
                    "BASE_IMAGE": base,
                    "STACK": self._naming.stack,
                    "VERSION": recipe.version or base.rpartition(":")[2],
                },
                target=recipe.target,
                platform=self._platform,
                # Every property here is kept in the state: a path that is the same in each clone.
                build_log_file=f"{BUILD_LOGS}/{self._naming.stack}-{recipe.role}.log",
                use_legacy_builder=self._use_legacy_builder or None,
            ),
            triggers={"context": digest_context(ROOT / recipe.context, str(dockerfile))},
            # Older images are for a rollback; the cleanup takes them when the stack goes.
            keep_locally=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self._cleanup]),
        )

    def _use(self, role: str, reference: str) -> docker.RemoteImage:
        """An image that is built elsewhere, pulled if it is missing."""
        return docker.RemoteImage(
            f"{role}-image-given",
            name=reference,
            platform=self._platform,
            # It is not the stack's own: others may run it, and a rollback needs it.
            keep_locally=True,
            opts=pulumi.ResourceOptions(parent=self),
        )


def name_in_registry(name: str, registry: str) -> str:
    """An image's name with `registry` in place of the one that it names, or of Docker Hub."""
    own, _, path = name.partition("/")
    return f"{registry}/{path if path and '.' in own else name}"
