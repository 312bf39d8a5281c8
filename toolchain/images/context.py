"""The files a build is sent: a recipe's folder, and what its `prepare` script adds."""

import io
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from toolchain.images.errors import ImagesError

PREPARE = "prepare"
"""Script of a recipe that is given a copy of its folder to add files of this machine to."""


def make_context(folder: Path) -> bytes:
    """A build context as a tar archive; the same files always give the same bytes.

    Raises
    ------
    ImagesError
        Raised when the recipe's `prepare` fails.
    """
    with tempfile.TemporaryDirectory(prefix="devportal-") as name:
        copy = Path(name) / "context"
        shutil.copytree(folder, copy)
        _prepare(folder, copy)
        return _pack(copy)


def _prepare(folder: Path, copy: Path) -> None:
    script = folder / PREPARE
    if not script.exists():
        return
    done = subprocess.run([script, copy], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise ImagesError(
            f"{folder.name}: `{PREPARE}` should end with 0 (got {done.returncode}). "
            f"Mend what it says and run this again: {(done.stdout + done.stderr).strip()}"
        )


def _pack(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.add(path, str(path.relative_to(folder)), recursive=False, filter=_anonymous)
    return buffer.getvalue()


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Drop what differs from clone to clone, or the engine would not find its cached steps."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    return member
