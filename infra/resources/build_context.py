"""What an image is built from, as one digest."""

import hashlib
import os
from pathlib import Path

from docker.utils.build import exclude_paths

ROOT = Path(__file__).resolve().parents[2]
"""The project's folder."""


def digest_context(folder: Path, dockerfile: str) -> str:
    """Digest of the names and contents of all files that an image may be built from.

    Modes, owners and times do not count: they differ between clones, and the Dockerfiles set
    the modes that matter. Nor does what editors leave behind, which no Dockerfile copies.

    Parameters
    ----------
    folder
        Context of the build; what a `.dockerignore` in it names does not count.
    dockerfile
        Path of the Dockerfile in the context.
    """
    digest = hashlib.sha256()
    ignored = [*_ignored(folder), *_left_behind()]
    for name in sorted(exclude_paths(str(folder), ignored, dockerfile)):
        path = folder / name
        if path.is_symlink():
            content = os.fsencode(os.readlink(path))
        elif path.is_file():
            content = path.read_bytes()
        else:
            continue
        # As the disk has the name, which need not be UTF-8.
        digest.update(os.fsencode(name) + f"\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def source_files(folder: Path) -> dict[str, Path]:
    """The files below a folder of the project by relative name, less what editors leave behind."""
    names = sorted(exclude_paths(str(folder), _left_behind()))
    return {name: folder / name for name in names if (folder / name).is_file()}


def _left_behind() -> list[str]:
    """Patterns of what editors, file managers and tools leave in any folder of the project."""
    return [line for line in _ignored(ROOT) if line.startswith("**/")]


def _ignored(folder: Path) -> list[str]:
    file = folder / ".dockerignore"
    lines = file.read_text().splitlines() if file.is_file() else []
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
