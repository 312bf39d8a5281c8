"""The docker provider: the official plugin where there is one, else built from source."""

from pathlib import Path

from toolchain.setup.atomic import build_folder, point_link
from toolchain.setup.download import fetch_archive
from toolchain.setup.go_module import provider_module
from toolchain.setup.schedule import Step
from toolchain.setup.versions import DOCKER_PLUGIN
from toolchain.setup.work import Work

PLUGIN = "pulumi-resource-docker"
_FOLDER = f"resource-docker-v{DOCKER_PLUGIN}"
_DOWNLOAD = (
    f"https://get.pulumi.com/releases/plugins/{PLUGIN}-v{DOCKER_PLUGIN}"
    "-{system}-{machine}.tar.gz"
)


class DockerProvider(Step):
    """The plugin in this project's PULUMI_HOME, or a link to it, unless one is on PATH."""

    name = "docker provider"
    purpose = f"get the docker plugin {DOCKER_PLUGIN}"
    # It uses none of it, but with one Go cache each package is compiled once.
    after = ("language host",)

    def find(self) -> str | None:
        if path := self.project.find_program(PLUGIN):
            return f"official, {path}"
        if not self._link.exists():
            return None
        if not self._is_built():
            return "official"
        current = self._link.resolve().parent.name == self._built.parent.name
        return "built from source" if current and not self._official() else None

    def run(self, work: Work) -> None:
        if official := self._official():
            point_link(self._link, official)
        elif not fetch_archive(_DOWNLOAD, self._link.parent, work):
            if not self._built.exists():
                with build_folder(self._built.parent) as scratch:
                    provider_module(self.project).build(".", scratch / PLUGIN, work)
            point_link(self._link, self._built)

    @property
    def _link(self) -> Path:
        return self.project.places.pulumi_home / "plugins" / _FOLDER / PLUGIN

    @property
    def _built(self) -> Path:
        source = provider_module(self.project).digest("*.go")
        return self.project.places.cache / "provider" / source / PLUGIN

    def _is_built(self) -> bool:
        """Whether the link leads to a plugin that was built, of any sources, in anyone's cache."""
        return self._link.resolve().parents[1].name == self._built.parents[1].name

    def _official(self) -> Path | None:
        """The official plugin in one of the user's own plugin caches."""
        for home in (self.project.environ.get("PULUMI_HOME"), self.project.places.home / ".pulumi"):
            plugin = Path(home or "/nowhere") / "plugins" / _FOLDER / PLUGIN
            if plugin.exists() and plugin != self._link:
                return plugin
        return None
