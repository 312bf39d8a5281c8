"""Files and folders are there whole or not at all; one set-up works at a time."""

import io
import os
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

from toolchain.setup.atomic import build_folder
from toolchain.setup.console import Console
from toolchain.setup.schedule import hold_lock


def test_folder_is_made_from_nothing_after_an_interruption(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), build_folder(tmp_path / "part") as scratch:
        (scratch / "half").touch()
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == [".part.part"]
    with build_folder(tmp_path / "part") as scratch:
        (scratch / "whole").touch()
    assert os.listdir(tmp_path / "part") == ["whole"]
    assert os.listdir(tmp_path) == ["part"]


def wait_for(lock: Path) -> tuple[threading.Thread, io.StringIO, threading.Event]:
    """A second set-up that has begun to wait for the lock; what it says, and when it has it."""
    screen, waiting, entered = io.StringIO(), threading.Event(), threading.Event()
    console = Console(screen)

    def say(line: str) -> None:
        screen.write(line)
        waiting.set()

    console.say = say

    def enter() -> None:
        with hold_lock(lock, console):
            entered.set()

    second = threading.Thread(target=enter)
    second.start()
    assert waiting.wait(30)
    assert not entered.is_set()
    return second, screen, entered


def test_second_set_up_waits_for_the_first_and_says_so(tmp_path: Path) -> None:
    with hold_lock(tmp_path / "lock", Console()):
        second, screen, entered = wait_for(tmp_path / "lock")
    second.join(30)
    assert entered.is_set()
    assert screen.getvalue() == (
        "set-up: another one is at work, or what it started; waiting for it to end"
    )


def test_command_of_a_killed_set_up_still_holds_the_lock(tmp_path: Path) -> None:
    with hold_lock(tmp_path / "lock", Console()) as lock:
        orphan = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=(lock,))
    second, _, entered = wait_for(tmp_path / "lock")
    orphan.communicate()
    second.join(30)
    assert entered.is_set()
