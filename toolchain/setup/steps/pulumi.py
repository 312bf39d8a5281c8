"""The Pulumi CLI and its Python language host: official where there is one, else built."""

import os
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from toolchain.setup.atomic import build_folder
from toolchain.setup.download import fetch_archive
from toolchain.setup.go_module import pulumi_module
from toolchain.setup.processes import ask
from toolchain.setup.project import Project, digest
from toolchain.setup.schedule import Step
from toolchain.setup.versions import PULUMI_CLI, PULUMI_CLI_MINIMUM, parse_version
from toolchain.setup.work import Work

_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_HOST = "pulumi-language-python"
_DOWNLOAD = (
    f"https://get.pulumi.com/releases/sdk/pulumi-v{PULUMI_CLI}-{{system}}-{{machine}}.tar.gz"
)


class PulumiCli(Step):
    """`pulumi` itself: the user's own if it is new enough, else downloaded, else built."""

    name = "pulumi CLI"
    purpose = f"get Pulumi {PULUMI_CLI}"

    def find(self) -> str | None:
        cli = find_cli(self.project)
        return cli and cli.description

    def run(self, work: Work) -> None:
        folder = _cached_cli(self.project).parent
        if not fetch_archive(_DOWNLOAD, folder, work, x86_64="x64"):
            with build_folder(folder) as scratch:
                pulumi_module(self.project).build(_PACKAGE, scratch / "pulumi", work)


class LanguageHost(Step):
    """A folder with the CLI and the host next to it: Pulumi warns of a host anywhere else."""

    name = "language host"
    purpose = "put a Python language host next to the CLI"
    after = ("pulumi CLI",)

    def find(self) -> str | None:
        cli, folder = find_cli(self.project), pulumi_folder(self.project)
        if cli is None or folder is None or not (folder / _HOST).exists():
            return None
        official = cli.has_host or (folder / _HOST).is_symlink()
        return "official" if official else "built from source"

    def run(self, work: Work) -> None:
        cli, folder = find_cli(self.project), pulumi_folder(self.project)
        assert cli is not None, "the step before has found or made it"
        assert folder is not None, "as above"
        with build_folder(folder) as scratch:
            shutil.copy2(cli.path, scratch / "pulumi")
            if official := self.project.find_program(_HOST):
                for file in official.resolve().parent.glob("pulumi-*python*"):
                    (scratch / file.name).symlink_to(file)
                return
            pulumi_module(self.project).build(f"./{_HOST}", scratch / _HOST, work)
            (scratch / "pulumi-resource-pulumi-python").symlink_to(_HOST)


@dataclass(frozen=True)
class Cli:
    """A Pulumi CLI on this machine."""

    path: Path
    description: str
    """Its version, and where it came from."""

    @property
    def has_host(self) -> bool:
        """Whether a Python language host lies next to it, as in every release."""
        return (self.path.resolve().parent / _HOST).exists()


def find_cli(project: Project) -> Cli | None:
    """The user's own CLI, else that of the cache, else None."""
    own = project.find_program("pulumi")
    version = _ask_version(own, own.stat().st_mtime_ns) if own else ""
    if own is not None and parse_version(version) >= PULUMI_CLI_MINIMUM:
        return Cli(own, f"{version.removeprefix('v')}, yours, {own}")
    cached = _cached_cli(project)
    if not cached.exists():
        return None
    origin = "official" if (cached.parent / _HOST).exists() else "built from source"
    return Cli(cached, f"{PULUMI_CLI}, {origin}")


def pulumi_folder(project: Project) -> Path | None:
    """The folder that goes on PATH; it exists only when it is complete. None without a CLI."""
    cli = find_cli(project)
    if cli is None or cli.has_host:
        return cli and cli.path.resolve().parent
    identity = f"{cli.path.resolve()} {cli.path.stat().st_mtime_ns}"
    sources = pulumi_module(project).digest(f"{_HOST}/*.go", f"{_HOST}/*.py")
    host = project.find_program(_HOST) or sources
    return project.places.cache / "pulumi" / digest(identity.encode(), str(host).encode())


def _cached_cli(project: Project) -> Path:
    return project.places.cache / "pulumi" / pulumi_module(project).digest() / "pulumi"


@cache
def _ask_version(cli: Path, _changed_ns: int) -> str:
    """What it prints; several steps need it, and it takes a while to start."""
    return ask(str(cli), "version", environ=os.environ) or ""
