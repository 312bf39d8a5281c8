"""The language host and the plugins' code, put together with the CLI in one folder."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from toolchain.setup.atomic import build_folder, share_file
from toolchain.setup.project import Project
from toolchain.setup.pulumi_found import DYNAMIC_LAUNCHER, LANGUAGE_HOST, PulumiCli
from toolchain.setup.toolchain_folder import LAUNCHERS, PARTS, ToolchainFolder
from toolchain.setup.work import Work


@dataclass(frozen=True)
class Toolchain:
    """What `activate` puts on PATH; it holds no path of the clone."""

    project: Project
    name = "language host"
    purpose = "put the CLI and the Python language host together"
    after = ("python environment", "pulumi CLI")

    def find(self) -> str | None:
        toolchain = ToolchainFolder(self.project)
        if toolchain.cli is None or not toolchain.path.exists():
            return None
        origin = "official" if toolchain.cli.is_complete else "ours"
        return f"{origin}, {toolchain.path.name}"

    def run(self, work: Work) -> None:
        toolchain = ToolchainFolder(self.project)
        assert toolchain.cli is not None, "the step before has found or built it"
        with build_folder(toolchain.path) as scratch:
            self._copy_code(scratch / "lib")
            (scratch / "python").symlink_to(self.project.python.parent.parent)
            shutil.copy(self._launcher("run"), scratch / "run")
            self._fill_bin(scratch / "bin", toolchain.cli)

    def _copy_code(self, lib: Path) -> None:
        source = self.project.root / "plugins"
        for part in PARTS:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source / part, lib / "plugins" / part, ignore=ignored)
        shutil.copy(source / "__init__.py", lib / "plugins" / "__init__.py")
        shutil.copy(self._launcher("module_runner.py"), lib / "__main__.py")

    def _fill_bin(self, folder: Path, cli: PulumiCli) -> None:
        """A complete CLI finds its own host behind the link; ours has to lie next to it."""
        folder.mkdir()
        if cli.is_complete:
            (folder / "pulumi").symlink_to(cli.path.resolve())
            return
        share_file(cli.path, folder / "pulumi")
        for name in (LANGUAGE_HOST, DYNAMIC_LAUNCHER):
            shutil.copy(self._launcher(name), folder / name)

    def _launcher(self, name: str) -> Path:
        return self.project.root / "plugins" / LAUNCHERS / name
