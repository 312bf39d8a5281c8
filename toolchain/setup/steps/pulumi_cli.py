"""The Pulumi CLI: the user's own, else the official download, else built from source."""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from toolchain.setup import versions
from toolchain.setup.atomic import build_folder
from toolchain.setup.download import DownloadError, fetch_archive
from toolchain.setup.errors import SetupError
from toolchain.setup.project import Project
from toolchain.setup.pulumi_found import cli_folder, find_cli
from toolchain.setup.work import Work

_DOWNLOAD = "https://get.pulumi.com/releases/sdk/pulumi-v{version}-{system}-{machine}.tar.gz"
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_VERSION_SYMBOL = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
_MODULE = Path(__file__).resolve().parents[2] / "pulumi"
# Kept until the build is done, so that an interrupted one goes on; it is 3 GB.
_BUILD_CACHE = ".go"


@dataclass(frozen=True)
class PulumiCliStep:
    """`pulumi` itself."""

    project: Project
    name = "pulumi CLI"
    purpose = f"get Pulumi {versions.PULUMI_CLI}"
    after = ()

    def find(self) -> str | None:
        cli = find_cli(self.project)
        if cli is None:
            return None
        return f"{cli.version}, {'official' if cli.is_complete else 'built from source'}"

    def run(self, work: Work) -> None:
        with build_folder(cli_folder(self.project)) as scratch:
            try:
                _download(scratch, work)
            except DownloadError:
                work.say("the official download does not answer; building it from its Go module")
                self._build(scratch, work)

    def _build(self, folder: Path, work: Work) -> None:
        _check_go(self.project.environ, work.label)
        cache = self.project.places.cache / _BUILD_CACHE
        environ = {
            **self.project.environ,
            "CGO_ENABLED": "0",
            "GOWORK": "off",
            "GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false",
            "GOCACHE": str(cache / "build"),
            "GOMODCACHE": str(cache / "modules"),
        }
        progress = GoProgress(work)
        listed = ["go", "list", "-deps", "-f", "package {{.ImportPath}}", _PACKAGE]
        work.run(listed, cwd=_MODULE, environ=environ, on_line=progress.list_line)
        stamp = f"-s -w -X {_VERSION_SYMBOL}=v{versions.PULUMI_CLI}"
        target = str(folder / "pulumi")
        built = ["go", "build", "-v", "-trimpath", "-ldflags", stamp, "-o", target, _PACKAGE]
        work.run(built, cwd=_MODULE, environ=environ, on_line=progress.build_line)
        shutil.rmtree(cache, ignore_errors=True)


def _download(folder: Path, work: Work) -> None:
    """Unpack a release; its files lie in a folder `pulumi`, one of them of the same name."""
    machine = _MACHINES.get(platform.machine().lower(), "unknown")
    system = platform.system().lower()
    url = _DOWNLOAD.format(version=versions.PULUMI_CLI, system=system, machine=machine)
    fetch_archive(url, folder, work)
    unpacked = folder / "release"
    os.replace(folder / "pulumi", unpacked)
    for file in list(unpacked.iterdir()):
        os.replace(file, folder / file.name)
    unpacked.rmdir()


class GoProgress:
    """Counts what Go says while it downloads modules and builds packages."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._modules = 0
        self._packages = 0
        self._built = 0

    def list_line(self, line: str) -> None:
        """Take a line of `go list`: a module it downloads, or a package it has found."""
        if line.startswith("go: downloading"):
            self._modules += 1
            self._work.show(f"{self._modules} modules downloaded")
        elif line.startswith("package "):
            self._packages += 1

    def build_line(self, line: str) -> None:
        """Take a line of `go build -v`: the package it builds."""
        self._built += 1
        self._work.show(f"{self._built} of {self._packages} packages built")


def _check_go(environ: Mapping[str, str], label: str) -> None:
    try:
        asked = ["go", "version"]
        printed = subprocess.run(asked, env=dict(environ), capture_output=True, text=True).stdout
    except OSError:
        printed = ""
    match = re.search(r"go(\d+)\.(\d+)", printed)
    if match and (int(match[1]), int(match[2])) >= versions.GO_MINIMUM:
        return
    wanted = ".".join(str(part) for part in versions.GO_MINIMUM)
    found = match[0] if match else "none"
    raise SetupError(
        f"{label}: Go should be {wanted} or newer to build Pulumi (got {found}). "
        "Install Go, or put an official Pulumi on PATH (https://www.pulumi.com/docs/install/)."
    )
