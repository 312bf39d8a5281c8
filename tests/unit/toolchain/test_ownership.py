"""Whose the files are that root makes in the home of another user."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from infra.errors import UserError
from tests.support.refusals import refusal
from toolchain.setup import setup
from toolchain.setup.atomic import write_file
from toolchain.setup.console import Console
from toolchain.setup.project import Project
from toolchain.setup.setup import clean_cache, set_up

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="root alone gives files away")
USER, GROUP, OTHER = 12345, 12346, 12347
Making = Callable[[Callable[[], object]], None]


@pytest.fixture
def home(project: Project) -> Path:
    """That of another user, who has no folder in it."""
    project.places.home.mkdir()
    os.chown(project.places.home, USER, GROUP)
    return project.places.home


@pytest.fixture
def making(project: Project, monkeypatch: pytest.MonkeyPatch) -> Making:
    """A set-up in which one part is missing, and made by what is given."""
    monkeypatch.setattr(setup, "list_steps", lambda project, **options: [MagicMock(find=list)])
    monkeypatch.setattr(setup, "describe_environment", lambda project: {})

    def make(run: Callable[[], object]) -> None:
        monkeypatch.setattr(setup, "run_steps", lambda *given: run())
        set_up(project, Console(io.StringIO()))

    return make


def owners(folder: Path) -> set[tuple[int, int]]:
    """User and group of everything in a folder."""
    found = [path.lstat() for path in folder.rglob("*")]
    return {(status.st_uid, status.st_gid) for status in found}


def test_what_roots_set_up_makes_belongs_to_the_owner_of_the_home(
    project: Project, home: Path, making: Making
) -> None:
    def run() -> None:
        # pip looks at it before it keeps a cache there.
        assert (home / ".cache").stat().st_uid == USER
        write_file(project.places.cache / "python" / "folder" / "complete", "")

    making(run)
    assert owners(home) == {(USER, GROUP)}
    assert (project.places.cache / "python" / "folder" / "complete").exists()
    clean_cache(project, Console())
    assert owners(home) == {(USER, GROUP)}


def test_what_a_failing_set_up_leaves_belongs_to_the_owner_of_the_home(
    project: Project, home: Path, making: Making
) -> None:
    def fail() -> None:
        write_file(project.places.logs / "cli.log", "")
        raise UserError("cli: should be built.")

    assert refusal(making, fail) == "cli: should be built."
    assert owners(home) == {(USER, GROUP)}


def test_nothing_but_roots_files_in_the_cache_and_the_data_changes_its_owner(
    project: Project, home: Path, making: Making, tmp_path: Path
) -> None:
    elsewhere, others = tmp_path / "elsewhere" / "file", project.places.cache / "file"

    def run() -> None:
        for file in (elsewhere, home / "file", home / ".cache" / "pip", others):
            write_file(file, "")
        os.chown(others, OTHER, OTHER)
        (project.places.cache / "folder").symlink_to(elsewhere.parent)
        (project.places.cache / "link").symlink_to(elsewhere)

    making(run)
    kept = [path.stat().st_uid for path in (elsewhere, home / "file", home / ".cache" / "pip")]
    assert kept == [0, 0, 0]
    assert others.stat().st_uid == OTHER
    links = (project.places.cache / "folder", project.places.cache / "link")
    assert [link.lstat().st_uid for link in links] == [USER, USER]


def test_home_of_roots_own_is_left_as_it_is(project: Project, making: Making) -> None:
    def run() -> None:
        write_file(project.places.cache / "file", "")
        os.chown(project.places.cache / "file", OTHER, OTHER)

    making(run)
    assert owners(project.places.home) == {(0, 0), (OTHER, OTHER)}
