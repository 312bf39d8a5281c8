"""Files and folders are there whole or not at all; one set-up works at a time."""

import os
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

from toolchain.setup.atomic import build_folder
from toolchain.setup.lock import hold_lock


def test_folder_is_made_from_nothing_after_an_interruption(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), build_folder(tmp_path / "part") as scratch:
        (scratch / "half").touch()
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == [".part.part"]
    with build_folder(tmp_path / "part") as scratch:
        (scratch / "whole").touch()
    assert os.listdir(tmp_path / "part") == ["whole"]
    assert os.listdir(tmp_path) == ["part"]


def test_second_set_up_waits_for_the_first_and_says_so(tmp_path: Path) -> None:
    said, waiting, entered = list[str](), threading.Event(), threading.Event()

    def say(line: str) -> None:
        said.append(line)
        waiting.set()

    def enter() -> None:
        with hold_lock(tmp_path / "lock", say):
            entered.set()

    second = threading.Thread(target=enter)
    with hold_lock(tmp_path / "lock", said.append):
        second.start()
        assert waiting.wait(30)
        assert not entered.is_set()
    second.join(30)
    assert entered.is_set()
    assert said == ["set-up: another one is at work, or what it started; waiting for it to end"]


def test_command_of_a_killed_set_up_still_holds_the_lock(tmp_path: Path) -> None:
    with hold_lock(tmp_path / "lock", print) as lock:
        orphan = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=(lock,))
    waiting, entered = threading.Event(), threading.Event()

    def enter() -> None:
        with hold_lock(tmp_path / "lock", lambda line: waiting.set()):
            entered.set()

    next_run = threading.Thread(target=enter)
    next_run.start()
    assert waiting.wait(30)
    assert not entered.is_set()
    orphan.communicate()
    next_run.join(30)
    assert entered.is_set()
