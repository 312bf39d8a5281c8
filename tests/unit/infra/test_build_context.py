"""What counts as a change of an image's files."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.resources.build_context import digest_context, source_files


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "scripts" / "run.sh").write_text("exec true\n")
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
        lambda folder: (folder / "scripts/.#run.sh").symlink_to("nowhere"),
        lambda folder: (folder / "empty").mkdir(),
    ],
)
def test_modes_times_and_empty_folders_do_not_count(
    context: Path, change: Callable[[Path], object]
) -> None:
    assert not is_changed(context, change)


@pytest.mark.parametrize(
    "name",
    [
        ".run.sh.swp",
        ".run.sh.swo",
        "run.sh~",
        "#run.sh#",
        "run.sh.orig",
        "4913",
        ".DS_Store",
        ".idea/workspace.xml",
        ".pytest_cache/README.md",
        "__pycache__/run.cpython-311.pyc",
    ],
)
def test_files_of_editors_and_tools_do_not_count(context: Path, name: str) -> None:
    def leave_behind(folder: Path) -> None:
        (folder / "scripts" / name).parent.mkdir(exist_ok=True)
        (folder / "scripts" / name).write_text("left behind")

    assert not is_changed(context, leave_behind)
    leave_behind(context)
    assert list(source_files(context / "scripts")) == ["run.sh"]


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


def test_name_that_is_not_utf_8_counts_like_any_other(context: Path) -> None:
    def change(folder: Path) -> None:
        (folder / os.fsdecode(b"scripts/gr\xfc\xdfe.sh")).write_text("exec true\n")
        (folder / "scripts/link").symlink_to(os.fsdecode(b"gr\xfc\xdfe.sh"))

    assert is_changed(context, change)
