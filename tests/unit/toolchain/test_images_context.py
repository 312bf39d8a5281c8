"""toolchain/images: what a build is sent."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from toolchain.images.context import make_context
from toolchain.images.errors import ImagesError


def write_recipe(folder: Path, prepare: str = "") -> Path:
    folder.mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM x\n")
    (folder / "start.sh").write_text("#!/bin/sh\n")
    (folder / "start.sh").chmod(0o700)
    if prepare:
        (folder / "prepare").write_text(f"#!/bin/sh\n{prepare}\n")
        (folder / "prepare").chmod(0o755)
    return folder


def list_members(context: bytes) -> dict[str, int]:
    """Mode of every file by its name."""
    with tarfile.open(fileobj=io.BytesIO(context)) as archive:
        return {member.name: member.mode for member in archive}


def test_scripts_stay_executable_whatever_the_clones_umask(tmp_path: Path) -> None:
    folder = write_recipe(tmp_path / "redis")
    assert list_members(make_context(folder)) == {"Dockerfile": 0o644, "start.sh": 0o755}


def test_two_clones_send_the_same_bytes(tmp_path: Path) -> None:
    first, second = write_recipe(tmp_path / "a" / "redis"), write_recipe(tmp_path / "b" / "redis")
    os.utime(second / "Dockerfile", (0, 0))
    assert make_context(first) == make_context(second)


def test_prepare_adds_files_to_a_copy(tmp_path: Path) -> None:
    folder = write_recipe(tmp_path / "redis", 'echo x > "$1/added"')
    assert "added" in list_members(make_context(folder))
    assert not (folder / "added").exists()


def test_failing_prepare_is_told_with_what_it_said(tmp_path: Path) -> None:
    folder = write_recipe(tmp_path / "redis", "echo no npm >&2; exit 3")
    with pytest.raises(ImagesError) as caught:
        make_context(folder)
    assert str(caught.value) == (
        "redis: `prepare` should end with 0 (got 3). Mend what it says and run this again: no npm"
    )
