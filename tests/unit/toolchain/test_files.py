"""Files and folders are there whole or not at all; one set-up works at a time."""

import errno
import io
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


def take(lock: Path) -> Callable[[Console], None]:
    """A second set-up, which has nothing to do."""

    def run(console: Console) -> None:
        with hold_lock(lock, console):
            pass

    return run


def wait_for(
    work: Callable[[Console], None],
) -> tuple[threading.Thread, io.StringIO, threading.Event]:
    """Work that has begun to wait for the lock; what it says, and when it is done."""
    screen, waiting, done = io.StringIO(), threading.Event(), threading.Event()
    console = Console(screen)

    def say(line: str) -> None:
        screen.write(line)
        waiting.set()

    console.say = say

    def run() -> None:
        work(console)
        done.set()

    second = threading.Thread(target=run)
    second.start()
    assert waiting.wait(30)
    assert not done.is_set()
    return second, screen, done


def test_second_set_up_waits_for_the_first_and_says_so(tmp_path: Path) -> None:
    with hold_lock(tmp_path / "lock", Console()):
        second, screen, done = wait_for(take(tmp_path / "lock"))
    second.join(30)
    assert done.is_set()
    assert screen.getvalue() == (
        "set-up: another one is at work, or what it started; waiting for it to end"
    )


def test_command_of_a_killed_set_up_still_holds_the_lock(tmp_path: Path) -> None:
    with hold_lock(tmp_path / "lock", Console()) as lock:
        orphan = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=(lock,))
    second, _, done = wait_for(take(tmp_path / "lock"))
    orphan.communicate()
    second.join(30)
    assert done.is_set()


def test_cache_is_not_deleted_under_a_running_set_up(project: Project) -> None:
    places = project.places
    write_file(places.cache / "python" / "folder" / "complete", "")
    write_file(places.image_source, "packages")
    with hold_lock(places.lock, Console(io.StringIO())):
        second, screen, _ = wait_for(partial(clean_cache, project))
        assert sorted(os.listdir(places.cache)) == ["image-source", "lock", "python"]
    second.join(30)
    assert screen.getvalue() == (
        "set-up: another one is at work, or what it started; waiting for it to end"
    )
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
