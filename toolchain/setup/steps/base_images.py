"""Base images: from their registry where one answers, else built from packages."""

import subprocess
import threading

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
        recipes = load_recipes()
        if read_source(self.project) is None:
            work.show("asking the image registry")
            answers = all(map(self._is_pulled, _one_of_each_registry(recipes)))
            write_file(self.project.places.image_source, OFFICIAL if answers else PACKAGES)
        if read_source(self.project) == PACKAGES:
            work.say("no image registry answers; the images come from packages")
            ImageBuilder(self.project, work).build(recipes)

    def _is_pulled(self, image: str) -> bool:
        """Whether the engine itself reaches the registry: it answers before the first layer."""
        pulling = subprocess.Popen(
            ["docker", "pull", image],
            env=dict(self.project.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        limit = threading.Timer(_ANSWER_SECONDS, pulling.kill)
        limit.start()
        try:
            return any("Pulling from" in line for line in pulling.stdout or ())
        finally:
            limit.cancel()
            pulling.kill()
            pulling.wait()


def read_source(project: Project) -> str | None:
    """`official` or `packages`; None before it is decided."""
    file = project.places.image_source
    source = file.read_text().strip() if file.exists() else None
    return source if source in (OFFICIAL, PACKAGES) else None


def _one_of_each_registry(recipes: list[Recipe]) -> list[str]:
    """Official images, one for each host in front of a name; Docker Hub's names have none."""
    chosen: dict[str, str] = {}
    for recipe in recipes:
        host, slash, _ = recipe.official.partition("/")
        chosen[host if slash and ("." in host or ":" in host) else ""] = recipe.official
    return list(chosen.values())
