"""Base images: from their registry where one answers, else built from packages."""

import json
import re
import sys
from dataclasses import dataclass

from toolchain.setup.atomic import write_file
from toolchain.setup.engine_address import find_engine
from toolchain.setup.engine_api import EngineApi
from toolchain.setup.project import Project
from toolchain.setup.work import Work

OFFICIAL = "official"
PACKAGES = "packages"


@dataclass(frozen=True)
class BaseImages:
    """What the stack's Dockerfiles start from; where from is decided once and remembered."""

    project: Project
    name = "base images"
    purpose = "see whether an image registry answers; else build the images from packages"
    after = ("docker engine",)

    def find(self) -> str | None:
        source = read_source(self.project)
        if source == OFFICIAL:
            return "official, pulled when needed"
        if source == PACKAGES and not self._missing():
            return "ours, from packages"
        return None

    def run(self, work: Work) -> None:
        if read_source(self.project) is None:
            work.show("asking the image registry")
            source = OFFICIAL if self._registry_answers() else PACKAGES
            write_file(self.project.places.image_source, f"{source}\n")
            if source == PACKAGES:
                work.say("no image registry answers; building the images from packages")
        if read_source(self.project) == PACKAGES and self._missing():
            work.run(
                [sys.executable, "-m", "toolchain.images", "build"],
                cwd=self.project.root,
                environ=self.project.environ,
                on_line=lambda line: _tell(line, work),
            )

    def _engine(self) -> EngineApi:
        return EngineApi(find_engine(self.project.environ))

    def _registry_answers(self) -> bool:
        """Whether the engine reaches every registry, asked for one image of each."""
        images = {_registry(name): name for name in self._names(OFFICIAL)}
        return all(map(self._engine().reaches_registry, images.values()))

    def _missing(self) -> list[str]:
        engine = self._engine()
        return [name for name in self._names(PACKAGES) if not engine.has_image(name)]

    def _names(self, source: str) -> list[str]:
        images = json.loads((self.project.root / "docker" / "base-images.json").read_text())
        return [images[role][source] for role in sorted(images)]


def read_source(project: Project) -> str | None:
    """`official` or `packages`; None before it is decided."""
    try:
        source = project.places.image_source.read_text().strip()
    except OSError:
        return None
    return source if source in (OFFICIAL, PACKAGES) else None


def _registry(image: str) -> str:
    """Host in front of an image's name; empty for Docker Hub, whose names have none."""
    host, slash, _ = image.partition("/")
    return host if slash and ("." in host or ":" in host) else ""


def _tell(line: str, work: Work) -> None:
    """Steps of the image builder stay on the screen; what its tools print passes by."""
    if re.match(r"\S+: ", line):
        work.say(line)
    elif line.strip():
        work.show(line.strip()[:60])
