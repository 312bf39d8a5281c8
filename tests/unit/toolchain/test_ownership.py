"""Whose the files are that root makes in the home of another user."""

import io
import os
from pathlib import Path

import pytest

from infra.errors import UserError
from tests.support.refusals import refusal
from toolchain.setup import setup
from toolchain.setup.atomic import write_file
from toolchain.setup.console import Console
from toolchain.setup.ownership import for_owner_of_home
from toolchain.setup.project import Project

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="root alone gives files away")
USER, GROUP, OTHER = 12345, 12346, 12347


@pytest.fixture
def home(project: Project) -> Path:
    """That of another user, who has no folder in it."""
    project.places.home.mkdir()
    os.chown(project.places.home, USER, GROUP)
    return project.places.home


def owners(folder: Path) -> set[tuple[int, int]]:
    """User and group of everything in a folder."""
    found = [path.lstat() for path in folder.rglob("*")]
    return {(status.st_uid, status.st_gid) for status in found}


def test_what_roots_set_up_leaves_belongs_to_the_owner_of_the_home_even_when_it_fails(
    project: Project, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object) -> None:
        # pip looks at it before it keeps a cache there.
        assert (home / ".cache").stat().st_uid == USER
        write_file(project.places.cache / "python" / "folder" / "complete", "")
        raise UserError("cli: should be built.")

    monkeypatch.setattr(setup, "run_steps", fail)
    assert refusal(setup.set_up, project, Console(io.StringIO())) == "cli: should be built."
    assert owners(home) == {(USER, GROUP)}
    assert (project.places.cache / "python" / "folder" / "complete").exists()
    setup.clean_cache(project, Console())
    assert owners(home) == {(USER, GROUP)}


def test_nothing_but_roots_files_in_the_cache_and_the_data_changes_its_owner(
    project: Project, home: Path, tmp_path: Path
) -> None:
    elsewhere, others = tmp_path / "elsewhere" / "file", project.places.cache / "file"
    links = (project.places.cache / "folder", project.places.cache / "link")
    with for_owner_of_home(project.places):
        for file in (elsewhere, home / "file", home / ".cache" / "pip", others):
            write_file(file, "")
        os.chown(others, OTHER, OTHER)
        for link, target in zip(links, (elsewhere.parent, elsewhere), strict=True):
            link.symlink_to(target)
    kept = [path.stat().st_uid for path in (elsewhere, home / "file", home / ".cache" / "pip")]
    assert kept == [0, 0, 0]
    assert others.stat().st_uid == OTHER
    assert [link.lstat().st_uid for link in links] == [USER, USER]


def test_home_of_roots_own_is_left_as_it_is(project: Project) -> None:
    with for_owner_of_home(project.places):
        write_file(project.places.cache / "file", "")
        os.chown(project.places.cache / "file", OTHER, OTHER)
    assert owners(project.places.home) == {(0, 0), (OTHER, OTHER)}
