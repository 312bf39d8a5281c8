"""What counts as a change of an image's files."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.resources.build_context import digest_context
from infra.resources.image import ROOT


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "scripts" / "run.sh").write_text("exec true\n")
    (tmp_path / ".dockerignore").write_text((ROOT / "docker/nginx/.dockerignore").read_text())
    return tmp_path


def is_changed(context: Path, change: Callable[[Path], object]) -> bool:
    before = digest_context(context, "Dockerfile")
    change(context)
    return digest_context(context, "Dockerfile") != before


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "scripts/run.sh").chmod(0o700),
        lambda folder: folder.chmod(0o700),
        lambda folder: os.utime(folder / "scripts/run.sh", (0, 0)),
        lambda folder: (folder / "scripts/.run.sh.swp").write_text("editor"),
        lambda folder: (folder / "scripts/run.sh~").write_text("editor"),
        lambda folder: (folder / ".DS_Store").write_text("file manager"),
        lambda folder: (folder / "scripts/.#run.sh").symlink_to("nowhere"),
        lambda folder: (folder / "empty").mkdir(),
    ],
)
def test_modes_times_and_files_of_editors_do_not_count(
    context: Path, change: Callable[[Path], object]
) -> None:
    assert not is_changed(context, change)


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "scripts/run.sh").write_text("exec false\n"),
        lambda folder: (folder / "scripts/run.sh").rename(folder / "scripts/go.sh"),
        lambda folder: (folder / "Dockerfile").write_text("FROM other\n"),
        lambda folder: (folder / "new").write_text(""),
    ],
)
def test_names_and_contents_count(context: Path, change: Callable[[Path], object]) -> None:
    assert is_changed(context, change)


@pytest.mark.parametrize("folder", sorted((ROOT / "docker").glob("*/Dockerfile")))
def test_every_context_leaves_out_files_of_editors(folder: Path) -> None:
    own = ROOT if folder.parent.name == "app" else folder.parent
    ignored = (own / ".dockerignore").read_text().splitlines()
    assert {"**/*.swp", "**/.#*", "**/*~", "**/.DS_Store"} <= set(ignored)
