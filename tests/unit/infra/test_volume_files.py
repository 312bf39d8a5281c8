"""Secret files in a volume: what is written, what counts as changed."""

import io
import tarfile
from typing import Any

import pytest

from infra.engine import volume_access, volume_files
from infra.engine.volume_files import (
    _digest,
    _VolumeFilesProvider,
)

PROPS: dict[str, Any] = {
    "volume": "devportal-dev-app-secrets",
    "image": "sha256:1",
    "engine": {"host": "unix:///var/run/docker.sock", "cert_path": ""},
    "files": {"secret_key": "s3cret"},
    "uid": 10001,
    "gid": 10001,
}


def state_of(props: dict[str, Any]) -> dict[str, Any]:
    return {**props, "digest": _digest(props), "revision": "abc"}


def members_of(archive: bytes) -> dict[str, tuple[int, int, int]]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return {member.name: (member.mode, member.uid, member.gid) for member in opened}


def test_files_are_readable_by_their_owner_alone() -> None:
    assert members_of(volume_access._pack(PROPS)) == {
        "devportal-files": (0o500, 10001, 10001),
        "devportal-files/secret_key": (0o400, 10001, 10001),
    }


def test_what_was_written_is_read_back() -> None:
    archive = volume_access._pack(PROPS)
    found = volume_access._unpack(archive, PROPS)
    assert found == {"secret_key": b"s3cret"}


def test_file_of_another_owner_counts_as_changed() -> None:
    archive = volume_access._pack({**PROPS, "uid": 0})
    found = volume_access._unpack(archive, PROPS)
    assert found == {"secret_key": b""}


def test_engine_with_user_namespaces_shows_owners_as_the_host_knows_them() -> None:
    archive = volume_access._pack({**PROPS, "uid": 500_000 + 10001})
    assert volume_access._unpack(archive, PROPS, shift=500_000) == {"secret_key": b"s3cret"}
    assert volume_access._unpack(archive, PROPS) == {"secret_key": b""}


@pytest.mark.parametrize(
    ("change", "changes", "replaces"),
    [
        ({}, False, []),
        ({"image": "sha256:2"}, False, []),
        ({"files": {"secret_key": "other"}}, True, []),
        ({"uid": 7}, True, []),
        ({"volume": "other"}, True, ["volume"]),
        ({"engine": {"host": "tcp://engine:2376", "cert_path": ""}}, True, []),
    ],
)
def test_diff_compares_content_and_place(
    change: dict[str, Any], changes: bool, replaces: list[str]
) -> None:
    result = _VolumeFilesProvider().diff("id", state_of(PROPS), {**PROPS, **change})
    assert (result.changes, result.replaces) == (changes, replaces)


def test_each_write_has_a_revision_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[dict[str, Any]] = []
    monkeypatch.setattr(volume_files, "write_files", written.append)
    provider = _VolumeFilesProvider()
    first = provider.create(PROPS).outs
    changed = {**PROPS, "uid": 7}
    second = provider.update("id", state_of(PROPS), changed).outs
    assert first is not None
    assert second is not None
    assert written == [PROPS, changed]
    assert first["revision"] != second["revision"]


def test_other_address_of_the_same_engine_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume_files, "write_files", pytest.fail)
    moved = {**PROPS, "engine": {"host": "tcp://same:2376", "cert_path": ""}}
    outs = _VolumeFilesProvider().update("id", state_of(PROPS), moved).outs
    assert outs == {**state_of(PROPS), "engine": moved["engine"]}


def test_missing_volume_means_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume_files, "read_files", lambda _: None)
    assert _VolumeFilesProvider().read("id", state_of(PROPS)).id == ""


def test_file_changed_by_hand_is_drift(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume_files, "read_files", lambda _: {"secret_key": b"edited"})
    provider = _VolumeFilesProvider()
    found = provider.read("id", state_of(PROPS)).outs
    assert found is not None
    assert provider.diff("id", found, PROPS).changes is True
