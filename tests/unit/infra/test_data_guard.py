"""When leave is given to begin with an empty database."""

from typing import Any

import pytest

from infra.engine import volume_access
from infra.engine.data_guard import _DataGuardProvider

PROPS: dict[str, Any] = {
    "volume": "devportal-prod-postgres-data",
    "uid": 70,
    "gid": 70,
    "retain": True,
    "fresh_start": None,
    "docker_host": "",
}
PROVIDER = _DataGuardProvider()


@pytest.fixture
def volume(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names of the files in the volume."""
    files: set[str] = set()

    def write(props: dict[str, Any]) -> None:
        assert props["folder_mode"] == 0o700
        files.update(props["files"])

    monkeypatch.setattr(volume_access, "has_file", lambda props, name: name in files)
    monkeypatch.setattr(volume_access, "write_files", write)
    return files


def update(**changes: Any) -> None:
    PROVIDER.update("volume", PROPS, {**PROPS, **changes})


def is_gone(**props: Any) -> bool:
    return not PROVIDER.read("volume", {**PROPS, **props}).id


def test_new_stack_may_begin_empty(volume: set[str]) -> None:
    PROVIDER.create(PROPS)
    assert volume == {".begin-empty"}


def test_data_that_is_there_is_taken_over(volume: set[str]) -> None:
    volume.add("PG_VERSION")
    PROVIDER.create(PROPS)
    update(fresh_start="today")
    update(retain=False)
    assert volume == {"PG_VERSION"}


def test_data_that_was_there_is_never_forgotten(volume: set[str]) -> None:
    assert not is_gone()
    assert not PROVIDER.diff("volume", PROPS, PROPS).changes
    update(docker_host="tcp://other")
    assert volume == set()


def test_new_word_gives_leave_once(volume: set[str]) -> None:
    assert PROVIDER.diff("volume", PROPS, {**PROPS, "fresh_start": "today"}).changes
    update(fresh_start="today")
    assert volume == {".begin-empty"}
    volume.clear()
    told = {**PROPS, "fresh_start": "today"}
    assert not PROVIDER.diff("volume", told, told).changes
    PROVIDER.update("volume", told, PROPS)
    assert volume == set()


def test_where_data_need_not_be_retained_a_lost_volume_is_begun_anew(volume: set[str]) -> None:
    assert is_gone(retain=False)
    volume.add("PG_VERSION")
    assert not is_gone(retain=False)
