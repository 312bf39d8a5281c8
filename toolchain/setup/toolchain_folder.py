"""The folder that is put on PATH, named by its content so that clones share it or do not."""

from functools import cached_property
from pathlib import Path

from toolchain.setup.project import Project, digest
from toolchain.setup.pulumi_found import PulumiCli, find_cli

PARTS = ("language", "docker")
"""Packages below `plugins/` that run as Pulumi plugins."""

LAUNCHERS = "bootstrap/launchers"


class ToolchainFolder:
    """Where our own language host and provider are, for one content of the clone's code."""

    def __init__(self, project: Project) -> None:
        self._project = project

    @cached_property
    def cli(self) -> PulumiCli | None:
        """The CLI that the toolchain goes with."""
        return find_cli(self._project)

    @cached_property
    def path(self) -> Path:
        """The folder; it exists only when it is complete."""
        cli = self.cli
        identity = "" if cli is None else f"{cli.path.resolve()} {cli.path.stat().st_mtime_ns}"
        parts = [identity.encode(), str(self._project.python).encode()]
        for file in self.sources:
            parts += [str(file.relative_to(self._root)).encode(), file.read_bytes()]
        return self._project.places.cache / "toolchain" / digest(*parts)

    @property
    def bin(self) -> Path:
        """Holds `pulumi` and, next to it, the language host."""
        return self.path / "bin"

    @property
    def runner(self) -> Path:
        """Runs one of the plugins in the toolchain's Python."""
        return self.path / "run"

    @cached_property
    def sources(self) -> list[Path]:
        """Every file that is copied or rendered into the folder."""
        code = [file for part in PARTS for file in (self._root / part).rglob("*")]
        launchers = list((self._root / LAUNCHERS).iterdir())
        return sorted(file for file in [*code, *launchers] if _is_source(file))

    @property
    def _root(self) -> Path:
        return self._project.root / "plugins"


def _is_source(file: Path) -> bool:
    return file.is_file() and "__pycache__" not in file.parts
