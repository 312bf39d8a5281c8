"""Secret files in a volume: what is written, what counts as changed."""

import io
import tarfile
from contextlib import nullcontext
from typing import Any
from unittest.mock import MagicMock

import pytest

from infra.engine import volume_access, volume_files
from infra.engine.volume_access import read_files, write_files
from infra.engine.volume_files import _digest, _VolumeFilesProvider

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


class Volume:
    """What the engine's archive calls do to a volume: nothing is ever taken away."""

    def __init__(self) -> None:
        self.members: dict[str, tuple[tarfile.TarInfo, bytes]] = {}

    def put_archive(self, path: str, data: bytes) -> None:
        assert path == "/"
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                handle = archive.extractfile(member)
                self.members[member.name] = (member, handle.read() if handle else b"")

    def get_archive(self, path: str) -> tuple[list[bytes], dict[str, Any]]:
        assert path == volume_access.MOUNT_POINT
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for member, content in self.members.values():
                archive.addfile(member, io.BytesIO(content))
        return [buffer.getvalue()], {}

    @property
    def owners(self) -> dict[str, tuple[int, int, int]]:
        return {name: (one.mode, one.uid, one.gid) for name, (one, _) in self.members.items()}


@pytest.fixture
def volume(engine: MagicMock, monkeypatch: pytest.MonkeyPatch) -> Volume:
    made = Volume()
    monkeypatch.setattr(volume_access, "borrowed_mount", lambda _: nullcontext(made))
    return made


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> MagicMock:
    info = {"SecurityOptions": None, "DockerRootDir": "/var/lib/docker"}
    client = MagicMock(**{"info.return_value": info})
    monkeypatch.setattr(volume_access, "engine_of", lambda _: client)
    return client


def test_files_are_readable_by_their_owner_alone(volume: Volume) -> None:
    write_files(PROPS)
    assert volume.owners == {
        "devportal-files": (0o500, 10001, 10001),
        "devportal-files/secret_key": (0o400, 10001, 10001),
    }
    assert read_files(PROPS) == {"secret_key": b"s3cret"}


def test_file_of_another_owner_counts_as_changed(volume: Volume) -> None:
    write_files({**PROPS, "uid": 0})
    assert read_files(PROPS) == {"secret_key": b""}


def test_engine_with_user_namespaces_shows_owners_as_the_host_knows_them(
    volume: Volume, engine: MagicMock
) -> None:
    write_files({**PROPS, "uid": 500_000 + 10001})
    assert read_files(PROPS) == {"secret_key": b""}
    root = "/var/lib/docker/500000.500000"
    engine.info.return_value = {"SecurityOptions": ["name=userns"], "DockerRootDir": root}
    assert read_files(PROPS) == {"secret_key": b"s3cret"}


def test_secret_that_is_not_given_any_more_is_emptied(volume: Volume) -> None:
    provider, more = _VolumeFilesProvider(), {**PROPS["files"], "admin_password": "once"}
    before = provider.create({**PROPS, "files": more}).outs
    assert before is not None
    # Also where the state of before is lost.
    for put in (lambda: provider.update("id", before, PROPS), lambda: provider.create(PROPS)):
        write_files({**PROPS, "files": more})
        outs = put().outs
        contents = {name: content for name, (_, content) in volume.members.items()}
        assert contents["devportal-files/admin_password"] == b""
        assert contents["devportal-files/secret_key"] == b"s3cret"
        assert outs is not None
        assert provider.read("id", outs).outs == outs


@pytest.mark.parametrize("name", ["added", "secret_key"])
def test_file_that_somebody_has_added_or_changed_is_drift(volume: Volume, name: str) -> None:
    provider = _VolumeFilesProvider()
    outs = provider.create(PROPS).outs
    write_files({**PROPS, "files": {name: "by hand"}})
    assert outs is not None
    found = provider.read("id", outs).outs
    assert found is not None
    assert provider.diff("id", found, PROPS).changes is True


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
    monkeypatch.setattr(volume_files, "write_files", lambda props, alone: written.append(props))
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
    monkeypatch.setattr(volume_files, "read_files", lambda _, alone: None)
    assert _VolumeFilesProvider().read("id", state_of(PROPS)).id == ""
