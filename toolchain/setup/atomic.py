"""Files and folders that are there whole or not at all, whenever the set-up is killed."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_file(path: Path, text: str) -> None:
    """Write a file, or replace it, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text)
    os.replace(fresh, path)


def point_link(link: Path, target: Path) -> None:
    """Make a symbolic link, or turn an existing one, in one step."""
    link.parent.mkdir(parents=True, exist_ok=True)
    fresh = link.with_name(f"{link.name}.{os.getpid()}")
    fresh.symlink_to(target)
    os.replace(fresh, link)


@contextmanager
def build_folder(path: Path) -> Iterator[Path]:
    """Give a scratch folder that becomes `path` when the block ends without an error."""
    scratch = path.with_name(f".{path.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    yield scratch
    shutil.rmtree(path, ignore_errors=True)
    os.replace(scratch, path)
