"""Makes a small Debian root folder with debootstrap and packs it for `docker import`."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from toolchain.images.machine import SUITE, Mirrors, machine_files
from toolchain.setup.errors import SetupError
from toolchain.setup.work import Work

_APT = ("apt-get", "-y", "-qq", "-o", "DPkg::Lock::Timeout=300")
_TOOLS = ("debootstrap", "debian-archive-keyring")
_FILES = Path(__file__).resolve().parent / "debian"
# What no service reads; apt and dpkg do without it too.
_SPARED = (
    "dev/*",
    "usr/share/doc/*",
    "usr/share/info/*",
    "usr/share/locale/*",
    "usr/share/man/*",
    "var/cache/apt/*",
    "var/lib/apt/lists/*",
    "var/log/*",
)


@dataclass(frozen=True)
class DebianRoot:
    """A root folder in the making; downloaded packages stay in `folder` for a run that goes on."""

    folder: Path
    work: Work

    def make(self, mirrors: Mirrors, environ: Mapping[str, str]) -> Path:
        """Unpack and configure the packages; the path of the tar archive. Raises SetupError."""
        if os.geteuid() != 0:
            raise SetupError(
                f"base images: should be built as root (got user id {os.geteuid()}). "
                "Run `sudo python3 -m toolchain.images` once; everything else runs as you."
            )
        self._install_tools()
        root = self.folder / "root"
        packages = self.folder / "packages"
        shutil.rmtree(root, ignore_errors=True)
        packages.mkdir(parents=True, exist_ok=True)
        # dpkg's options go in before the first package: less to write, nothing to sync.
        shutil.copytree(_FILES, root)
        # A mount namespace of its own: killed at any time, it leaves no mount behind.
        options = ("--variant=minbase", "--include=ca-certificates", f"--cache-dir={packages}")
        self._run("unshare", "--mount", "debootstrap", *options, SUITE, str(root), mirrors.main)
        _finish(root, {"etc/apt/sources.list": mirrors.sources_list(), **machine_files(environ)})
        archive = self.folder / "root.tar"
        # Without setuid bits.
        options = ("--numeric-owner", "--mode=ug-s", "-cf", str(archive))
        self._run("tar", "-C", str(root), *options, ".")
        return archive

    def _install_tools(self) -> None:
        if shutil.which("debootstrap"):
            return
        if not shutil.which("apt-get"):
            raise SetupError(
                "debootstrap: should be on PATH (got nothing, and no apt-get to install it). "
                "Install debootstrap with this machine's package manager."
            )
        self.work.say("debian: installing debootstrap")
        self._run(*_APT, "update")
        self._run(*_APT, "install", "--no-install-recommends", *_TOOLS)

    def _run(self, *command: str) -> None:
        environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        self.work.run(command, environ=environ)


def _finish(root: Path, files: Mapping[str, str]) -> None:
    for path in [path for pattern in _SPARED for path in root.glob(pattern)]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, errors="surrogateescape")
        path.chmod(0o644)
