"""Where states lie, as Pulumi reads the URL of its backend."""

import os
import pwd
from pathlib import Path
from types import SimpleNamespace

import pytest

from operations.backend import states_folder

ROOT = Path("/clone")


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("file:///a/b", "/a/b"),
        ("file:///a/my%20states?no_tmp_dir=true", "/a/my states"),
        ("file://~", "/home/ada"),
        ("file://~/a/b", "/home/ada/a/b"),
        ("file://.", "/clone"),
        ("file://./a", "/clone/a"),
        ("file://a/../b", "/clone/b"),
    ],
)
def test_folder_is_the_one_that_pulumi_takes(
    url: str, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/of/another/user")
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: SimpleNamespace(pw_dir="/home/ada"))
    assert states_folder(url, ROOT) == Path(folder, ".pulumi")


def test_home_is_the_environments_where_passwd_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/container")
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 2)
    assert states_folder("file://~", ROOT) == Path("/home/container/.pulumi")


@pytest.mark.parametrize("url", ["s3://states", "https://api.pulumi.com", "postgres://a@b/c"])
def test_backend_elsewhere_has_no_folder(url: str) -> None:
    assert states_folder(url, ROOT) is None
