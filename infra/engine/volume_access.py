"""Reads and writes files in a volume through the engine's archive calls."""

import io
import re
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import docker
from docker.errors import DockerException, NotFound
from docker.models.containers import Container

from infra.engine.address import EngineAddress
from infra.engine.client import connect
from infra.engine.helper_container import borrowed_image, helper_container
from infra.engine.resource import engine_of
from infra.errors import ProviderError

MOUNT_POINT = "/devportal-files"
_MODE = 0o400
_FOLDER_MODE = 0o500


class VolumeFilesError(ProviderError):
    """The engine did not let files be written to or read from a volume."""


def write_files(props: dict[str, Any], *, alone: bool = False) -> None:
    """Write `props["files"]` into the volume, replacing files of the same name.

    Its folder gets `props["folder_mode"]`, else one that its owner may only read.

    Parameters
    ----------
    alone
        Empty every other file there, as an archive can take none away: it may be a secret.

    Raises
    ------
    VolumeFilesError
        Raised when the engine refuses; the message names the volume, never a content.
    """
    try:
        with borrowed_mount(props) as container:
            others = dict.fromkeys(_read(container), "") if alone else {}
            container.put_archive("/", _pack({**props, "files": {**others, **props["files"]}}))
    except DockerException as error:
        raise VolumeFilesError(
            f"volume '{props['volume']}': its files should be written (got: {error})."
        ) from None


def has_volume(engine: EngineAddress, name: str) -> bool:
    """Whether the engine has a volume of that name; EngineAddressError when it does not answer."""
    return any(volume.name == name for volume in connect(engine).volumes.list())


def read_files(props: dict[str, Any], *, alone: bool = False) -> dict[str, bytes] | None:
    """The contents of `props["files"]` in the volume, by name; None when the volume is gone.

    One of a wrong owner or mode counts as empty. With `alone`, others that are not empty as well.
    """
    client = engine_of(props)
    try:
        client.volumes.get(props["volume"])
        with borrowed_mount(props) as container:
            found = _read(container)
    except NotFound:
        return None
    owners = {int(props["uid"]), int(props["uid"]) + _shift_of_owners(client)}
    return {
        name: content if member.uid in owners and member.mode & 0o777 == _MODE else b""
        for name, (member, content) in found.items()
        if name in props["files"] or (alone and content)
    }


def has_file(props: dict[str, Any], name: str) -> bool:
    """Whether the volume is there and holds a file of that name.

    Raises
    ------
    VolumeFilesError
        Raised when the engine does not let it be seen.
    """
    try:
        engine_of(props).volumes.get(props["volume"])
        with borrowed_mount(props) as container:
            container.get_archive(f"{MOUNT_POINT}/{name}")
    except NotFound:
        return False
    except DockerException as error:
        raise VolumeFilesError(
            f"volume '{props['volume']}': should be readable (got: {error})."
        ) from None
    return True


@contextmanager
def borrowed_mount(props: dict[str, Any]) -> Iterator[Container]:
    """A container, never started, that has `props["volume"]` at `MOUNT_POINT`."""
    client = engine_of(props)
    options: dict[str, Any] = {
        "command": ["true"],
        "network_disabled": True,
        "volumes": {props["volume"]: {"bind": MOUNT_POINT, "mode": "rw,nocopy"}},
    }
    # A refresh must not fail, nor take the volume for gone, because the image was removed.
    with (
        borrowed_image(client, props.get("image")) as image,
        helper_container(client, image, "volume-files", **options) as container,
    ):
        yield container


def _pack(props: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        folder = tarfile.TarInfo(MOUNT_POINT.lstrip("/"))
        folder.type = tarfile.DIRTYPE
        _own(folder, props, props.get("folder_mode", _FOLDER_MODE))
        archive.addfile(folder)
        for name, text in sorted(props["files"].items()):
            content = text if isinstance(text, bytes) else text.encode()
            member = tarfile.TarInfo(f"{folder.name}/{name}")
            member.size = len(content)
            _own(member, props, _MODE)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _own(member: tarfile.TarInfo, props: dict[str, Any], mode: int) -> None:
    member.uid, member.gid, member.mode = int(props["uid"]), int(props["gid"]), mode
    # Servers tell versions of a file apart by their times.
    member.mtime = int(time.time())


def _shift_of_owners(client: docker.DockerClient) -> int:
    """By how much the engine's archives show owners too high.

    With user namespaces it takes ids of the container, and returns those of the host; the first
    of these is in the name of its folder.
    """
    info = client.info()
    mapped = any(option.startswith("name=userns") for option in info["SecurityOptions"] or ())
    first = re.search(r"/(\d+)\.\d+$", info["DockerRootDir"]) if mapped else None
    return int(first[1]) if first else 0


def _read(container: Container) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    """Every file in the volume, by name."""
    stream, _ = container.get_archive(MOUNT_POINT)
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        return {
            member.name.partition("/")[2]: (member, handle.read())
            for member in archive
            if member.isfile() and (handle := archive.extractfile(member))
        }
