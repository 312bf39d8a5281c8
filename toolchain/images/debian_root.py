"""Makes a small Debian root folder with debootstrap and turns it into a tar archive."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from toolchain.images.errors import ImagesError
from toolchain.images.machine import machine_files
from toolchain.images.mirrors import SUITE, Mirrors

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
    """A root folder in the making.

    Parameters
    ----------
    work
        Scratch folder; downloaded packages stay in it for a run that goes on.
    lock
        File descriptor that commands inherit, so that none outlives the lock.
    say
        Told how far it is.
    """

    work: Path
    lock: int
    say: Callable[[str], None]

    @property
    def path(self) -> Path:
        """The root folder."""
        return self.work / "root"

    def make(self, mirrors: Mirrors) -> None:
        """Unpack and configure the packages, afresh.

        Raises
        ------
        ImagesError
            Raised without root rights, or when a command fails.
        """
        if os.geteuid() != 0:
            raise ImagesError(
                f"debian: should be built as root (got user id {os.geteuid()}). "
                "Run `sudo -E python3 -m toolchain.images build` once; everything else runs as you."
            )
        self._install_tools()
        shutil.rmtree(self.path, ignore_errors=True)
        packages = self.work / "packages"
        packages.mkdir(parents=True, exist_ok=True)
        self._prepare()
        # A mount namespace of its own: killed at any time, it leaves no mount behind.
        self._run(
            "unshare",
            "--mount",
            "debootstrap",
            "--variant=minbase",
            "--include=ca-certificates",
            f"--cache-dir={packages}",
            SUITE,
            str(self.path),
            mirrors.main,
        )
        self._finish(mirrors)

    @contextmanager
    def archive(self) -> Iterator[IO[bytes]]:
        """The root as a tar stream, without setuid bits."""
        command = ["tar", "-C", str(self.path), "--numeric-owner", "--mode=ug-s", "-cf", "-", "."]
        with subprocess.Popen(command, stdout=subprocess.PIPE, pass_fds=(self.lock,)) as tar:
            assert tar.stdout is not None
            yield tar.stdout

    def _install_tools(self) -> None:
        if shutil.which("debootstrap"):
            return
        if not shutil.which("apt-get"):
            raise ImagesError(
                "debootstrap: should be on PATH (got nothing, and no apt-get to install it). "
                "Install debootstrap with this machine's package manager."
            )
        self.say("installing debootstrap")
        self._run(*_APT, "update")
        self._run(*_APT, "install", "--no-install-recommends", *_TOOLS)

    def _prepare(self) -> None:
        """Put dpkg's options in before the first package: less to write, nothing to sync."""
        shutil.copytree(_FILES, self.path)

    def _finish(self, mirrors: Mirrors) -> None:
        for pattern in _SPARED:
            for path in self.path.glob(pattern):
                _remove(path)
        self._write("etc/apt/sources.list", mirrors.sources_list().encode())
        for name, content in machine_files(os.environ).items():
            self._write(name, content)

    def _write(self, name: str, content: bytes) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o644)

    def _run(self, *command: str) -> None:
        environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            command,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=(self.lock,),
        )
        if done.returncode:
            raise ImagesError(_describe_failure(command, done.returncode, done.stdout))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _describe_failure(command: Sequence[str], code: int, output: str) -> str:
    program = "debootstrap" if "debootstrap" in command else command[0]
    tail = "".join(f"\n    {line}" for line in output.splitlines()[-12:])
    return (
        f"debian: `{program}` should end with 0 (got {code}). "
        f"Mend what its last lines say and run this again; downloads are kept.{tail}"
    )
