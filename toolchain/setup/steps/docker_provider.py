"""The docker provider: the official plugin where there is one, else built from source."""

from pathlib import Path

from toolchain.setup.atomic import build_folder, share_file
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
_BUILT_FROM = "built-from"


class DockerProvider(Step):
    """The plugin in this project's PULUMI_HOME, unless the user has one on PATH."""

    name = "docker provider"
    purpose = f"get the docker plugin {DOCKER_PLUGIN}"
    # It uses none of it, but with one Go cache each package is compiled once.
    after = ("language host",)

    def find(self) -> str | None:
        if path := self.project.find_program(PLUGIN):
            return f"official, {path}"
        if not (self._folder / PLUGIN).exists():
            return None
        built_from = self._built_from()
        if built_from is None:
            return "official"
        current = built_from == self._digest and not self._official()
        return "built from source" if current else None

    def run(self, work: Work) -> None:
        with build_folder(self._folder) as scratch:
            if official := self._official():
                share_file(official, scratch / PLUGIN)
            elif self._built_from() or not fetch_archive(_DOWNLOAD, scratch, work):
                self._build(scratch, work)

    def forget_built(self) -> None:
        """Have the next run try the official download again."""
        if self._built_from() is not None:
            (self._folder / PLUGIN).unlink(missing_ok=True)
            (self._folder / _BUILT_FROM).unlink()

    @property
    def _folder(self) -> Path:
        return self.project.places.pulumi_home / "plugins" / _FOLDER

    @property
    def _digest(self) -> str:
        return provider_module(self.project).digest("*.go")

    def _official(self) -> Path | None:
        """The official plugin in one of the user's own plugin caches."""
        places = self.project.places
        for home in (self.project.environ.get("PULUMI_HOME"), places.home / ".pulumi"):
            plugin = Path(home or "/nowhere") / "plugins" / _FOLDER / PLUGIN
            if plugin.exists() and plugin.parent != self._folder:
                return plugin
        return None

    def _built_from(self) -> str | None:
        """Digest of the sources of a plugin that was built; None of any other."""
        try:
            return (self._folder / _BUILT_FROM).read_text()
        except OSError:
            return None

    def _build(self, folder: Path, work: Work) -> None:
        built = self.project.places.cache / "provider" / self._digest
        if not built.exists():
            with build_folder(built) as scratch:
                provider_module(self.project).build(".", scratch / PLUGIN, work)
        share_file(built / PLUGIN, folder / PLUGIN)
        (folder / _BUILT_FROM).write_text(self._digest)
