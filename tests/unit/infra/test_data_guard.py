"""When a database may begin empty."""

from typing import Any

import pytest

from infra.engine import data_guard
from infra.engine.data_guard import _DataGuardProvider

PROPS: dict[str, Any] = {
    "volume": "devportal-prod-postgres-data",
    "uid": 70,
    "gid": 70,
    "retain": True,
    "is_used": True,
    "fresh_start": None,
    "engine": {"host": "unix:///var/run/docker.sock", "cert_path": ""},
}
PROVIDER = _DataGuardProvider()


@pytest.fixture
def volume(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names of the files in the volume."""
    files: set[str] = set()

    def write(props: dict[str, Any]) -> None:
        assert props["folder_mode"] == 0o700
        files.update(props["files"])

    monkeypatch.setattr(data_guard, "has_file", lambda props, name: name in files)
    monkeypatch.setattr(data_guard, "write_files", write)
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
    update(engine={"host": "tcp://other", "cert_path": ""})
    assert volume == set()


def test_volume_beside_a_server_of_others_may_be_removed_by_hand(volume: set[str]) -> None:
    assert is_gone(is_used=False)
    volume.add("PG_VERSION")
    assert not is_gone(is_used=False)


def test_new_word_permits_an_empty_database_once(volume: set[str]) -> None:
    assert PROVIDER.diff("volume", PROPS, {**PROPS, "fresh_start": "today"}).changes
    update(fresh_start="today")
    assert volume == {".begin-empty"}
    volume.clear()
    known = {**PROPS, "fresh_start": "today"}
    assert not PROVIDER.diff("volume", known, known).changes
    PROVIDER.update("volume", known, PROPS)
    assert volume == set()


def test_where_data_need_not_be_retained_a_lost_volume_is_begun_anew(volume: set[str]) -> None:
    assert is_gone(retain=False)
    volume.add("PG_VERSION")
    assert not is_gone(retain=False)
