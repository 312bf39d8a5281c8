"""Base images: from their registry where one answers, else built from packages."""

import subprocess
from collections.abc import Sequence
from threading import Timer

from toolchain.images.builder import ImageBuilder
from toolchain.images.recipes import Recipe, load_recipes
from toolchain.setup.atomic import write_file
from toolchain.setup.docker_cli import DockerCli
from toolchain.setup.project import Project
from toolchain.setup.schedule import Step
from toolchain.setup.work import Work

OFFICIAL, PACKAGES = "official", "packages"
_ANSWER_SECONDS = 10.0


class BaseImages(Step):
    """What the stack's Dockerfiles start from; where from is decided once and remembered."""

    name = "base images"
    purpose = "see whether an image registry answers; else build the images from packages"
    after = ("docker engine",)

    def find(self) -> str | None:
        source = read_source(self.project)
        if source == OFFICIAL:
            return "official, pulled when needed"
        names = [recipe.name for recipe in load_recipes()]
        if source == PACKAGES and DockerCli(self.project.environ).has_images(names):
            return "built from packages"
        return None

    def run(self, work: Work) -> None:
        recipes, source = load_recipes(), OFFICIAL
        if read_source(self.project) == PACKAGES or not self._is_registry_there(work, recipes):
            work.say("no image registry answers; the images come from packages")
            # Only then remembered: where they cannot be built, a registry may answer another time.
            ImageBuilder(self.project, work).build(recipes)
            source = PACKAGES
        write_file(self.project.places.image_source, source)

    def _is_registry_there(self, work: Work, recipes: Sequence[Recipe]) -> bool:
        work.show("asking the image registry")
        # One of each registry is enough.
        images = {_registry(recipe.official): recipe.official for recipe in recipes}
        return all(map(self._is_pulled, images.values()))

    def _is_pulled(self, image: str) -> bool:
        """Whether the engine itself reaches the registry: it answers before the first layer."""
        with subprocess.Popen(
            ["docker", "pull", image],
            env=self.project.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as asked:
            late = Timer(_ANSWER_SECONDS, asked.kill)
            late.start()
            try:
                return any("Pulling from" in line for line in asked.stdout or ())
            finally:
                late.cancel()
                asked.kill()


def read_source(project: Project) -> str | None:
    """`official` or `packages`; None before it is decided."""
    file = project.places.image_source
    source = file.read_text().strip() if file.exists() else None
    return source if source in (OFFICIAL, PACKAGES) else None


def _registry(image: str) -> str:
    """The host in front of an image's name; Docker Hub's names have none."""
    host, slash, _ = image.partition("/")
    return host if slash and ("." in host or ":" in host) else ""
