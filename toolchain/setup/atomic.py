"""Files and folders that are there whole or not at all, whenever the set-up is killed."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_file(path: Path, text: str) -> None:
    """Write a file, or replace it, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    os.chmod(name, 0o644)
    os.replace(name, path)


def point_link(link: Path, target: Path) -> None:
    """Make a symbolic link, or turn an existing one, in one step."""
    fresh = link.with_name(f"{link.name}.{os.getpid()}")
    fresh.symlink_to(target)
    os.replace(fresh, link)


@contextmanager
def build_folder(path: Path) -> Iterator[Path]:
    """Give a scratch folder that becomes `path` when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    yield scratch
    shutil.rmtree(path, ignore_errors=True)
    os.replace(scratch, path)


def share_file(source: Path, target: Path) -> None:
    """Put a file also at `target`; on one file system without a second copy of its bytes."""
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copy2(source, target)
