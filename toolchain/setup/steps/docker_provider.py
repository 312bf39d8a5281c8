"""The docker provider: the official plugin where it can be had, else ours."""

import platform
from dataclasses import dataclass
from pathlib import Path

from toolchain.setup import versions
from toolchain.setup.atomic import build_folder, share_file, write_file
from toolchain.setup.download import DownloadError, fetch_archive
from toolchain.setup.project import Project
from toolchain.setup.toolchain_folder import LAUNCHERS, ToolchainFolder
from toolchain.setup.work import Work

PLUGIN = "pulumi-resource-docker"
_FOLDER = f"resource-docker-v{versions.DOCKER_PLUGIN}"
_DOWNLOAD = (
    "https://get.pulumi.com/releases/plugins/"
    f"{PLUGIN}-v{versions.DOCKER_PLUGIN}-{{system}}-{{machine}}.tar.gz"
)
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class DockerProvider:
    """The plugin in this project's PULUMI_HOME, unless the user has one on PATH."""

    project: Project
    name = "docker provider"
    purpose = f"get the docker plugin {versions.DOCKER_PLUGIN}"
    after = ("language host",)

    def find(self) -> str | None:
        if path := self.project.user_path(program=PLUGIN):
            return f"official, {path}"
        if not self._plugin.exists():
            return None
        if not _is_script(self._plugin):
            return "official"
        if self._official_elsewhere() or self._plugin.read_text() != self._render():
            return None
        return "ours"

    def run(self, work: Work) -> None:
        if official := self._official_elsewhere():
            with build_folder(self._plugin.parent) as scratch:
                share_file(official, scratch / PLUGIN)
        elif self._plugin.exists():
            self._write_own()
        else:
            self._get_new(work)

    def forget_own(self) -> None:
        """Remove our plugin, so that the next run tries the official download again."""
        if self._plugin.exists() and _is_script(self._plugin):
            self._plugin.unlink()

    @property
    def _plugin(self) -> Path:
        return self.project.places.pulumi_home / "plugins" / _FOLDER / PLUGIN

    def _official_elsewhere(self) -> Path | None:
        """The official plugin in the user's own plugin cache."""
        environ = self.project.environ
        own_home = Path(environ.get("HOME") or "~").expanduser() / ".pulumi"
        for home in (environ.get("PULUMI_HOME") or own_home, own_home):
            plugin = Path(home) / "plugins" / _FOLDER / PLUGIN
            if plugin != self._plugin and plugin.exists() and not _is_script(plugin):
                return plugin
        return None

    def _get_new(self, work: Work) -> None:
        machine = _MACHINES.get(platform.machine().lower(), "unknown")
        url = _DOWNLOAD.format(system=platform.system().lower(), machine=machine)
        try:
            with build_folder(self._plugin.parent) as scratch:
                fetch_archive(url, scratch, work)
        except DownloadError:
            work.say("the official download does not answer; taking the project's own")
            self._write_own()

    def _write_own(self) -> None:
        write_file(self._plugin, self._render(), mode=0o755)

    def _render(self) -> str:
        toolchain = ToolchainFolder(self.project)
        template = self.project.root / "plugins" / LAUNCHERS / PLUGIN
        return template.read_text().replace("@toolchain@", str(toolchain.path))


def _is_script(file: Path) -> bool:
    with file.open("rb") as content:
        return content.read(2) == b"#!"
