"""Files and folders are there whole or not at all; one set-up works at a time."""

import errno
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from tests.support.refusals import refusal
from toolchain.setup.atomic import build_folder, write_file
from toolchain.setup.console import Console
from toolchain.setup.project import Project
from toolchain.setup.schedule import hold_lock
from toolchain.setup.setup import clean_cache


def test_folder_is_made_from_nothing_after_an_interruption(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), build_folder(tmp_path / "part") as scratch:
        (scratch / "half").touch()
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == [".part.part"]
    with build_folder(tmp_path / "part") as scratch:
        (scratch / "whole").touch()
    assert os.listdir(tmp_path / "part") == ["whole"]
    assert os.listdir(tmp_path) == ["part"]


class Waiting(Console):
    """What a second set-up says; `begun` when it has to wait for the first."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.begun = threading.Event()

    def say(self, line: str) -> None:
        self.said.append(line)
        self.begun.set()


def start_second(run: Callable[[Console], object]) -> threading.Thread:
    """A second set-up, which waits for the first and says so."""
    console = Waiting()
    second = threading.Thread(target=run, args=[console])
    second.start()
    assert console.begun.wait(30)
    assert console.said == [
        "set-up: another one is at work, or what it started; waiting for it to end"
    ]
    return second


def test_command_of_a_killed_set_up_still_holds_the_lock(tmp_path: Path) -> None:
    done = threading.Event()

    def take(console: Console) -> None:
        with hold_lock(tmp_path / "lock", console):
            done.set()

    with hold_lock(tmp_path / "lock", Console()) as lock:
        orphan = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=(lock,))
    second = start_second(take)
    assert not done.is_set()
    orphan.communicate()
    second.join(30)
    assert done.is_set()


def test_cache_is_not_deleted_under_a_running_set_up(project: Project) -> None:
    places = project.places
    write_file(places.cache / "python" / "folder" / "complete", "")
    write_file(places.image_source, "packages")
    with hold_lock(places.lock, Console()):
        second = start_second(partial(clean_cache, project))
        assert sorted(os.listdir(places.cache)) == ["image-source", "lock", "python"]
    second.join(30)
    # Who waits for the lock, and who comes after, wait for the same.
    assert os.listdir(places.cache) == ["lock"]


def test_what_cannot_be_deleted_is_named_and_the_rest_is_deleted(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, remove = project.places.cache, shutil.rmtree
    for name in ("logs", "pulumi", "python"):
        write_file(cache / name / "file", "")

    def refuse(folder: Path) -> None:
        if folder.name != "python":
            raise PermissionError(errno.EACCES, "Permission denied", "file")
        remove(folder)

    monkeypatch.setattr(shutil, "rmtree", refuse)
    assert refusal(clean_cache, project, Console()) == (
        f"cache: everything in {cache} should be removable (got {cache}/logs: Permission denied; "
        f"{cache}/pulumi: Permission denied). Remove that, as root if need be, and run this again."
    )
    assert sorted(os.listdir(cache)) == ["lock", "logs", "pulumi"]
