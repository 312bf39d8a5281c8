"""Reads and writes files in a volume through the engine's archive calls."""

import io
import json
import re
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import docker
from docker.errors import DockerException, ImageNotFound, NotFound
from docker.models.containers import Container

from infra.engine.resource import engine_of
from infra.errors import ProviderError
from infra.naming import PROJECT, ROLE_LABEL

MOUNT_POINT = "/devportal-files"
_MODE = 0o400
_FOLDER_MODE = 0o500


class VolumeFilesError(ProviderError):
    """The engine did not let files be written to or read from a volume."""


def write_files(props: dict[str, Any]) -> None:
    """Write `props["files"]` into the volume, replacing files of the same name.

    Its folder gets `props["folder_mode"]`, else one that its owner may only read.

    Raises
    ------
    VolumeFilesError
        Raised when the engine refuses; the message names the volume, never a content.
    """
    try:
        with borrowed_mount(props) as container:
            container.put_archive("/", _pack(props))
    except DockerException as error:
        raise VolumeFilesError(
            f"volume '{props['volume']}': its files should be written (got: {error})."
        ) from None


def read_files(props: dict[str, Any]) -> dict[str, bytes] | None:
    """The contents of `props["files"]` in the volume, by name; None when the volume is gone."""
    client = engine_of(props)
    try:
        client.volumes.get(props["volume"])
        with borrowed_mount(props) as container:
            stream, _ = container.get_archive(MOUNT_POINT)
            return _unpack(b"".join(stream), props, _shift_of_owners(client))
    except NotFound:
        return None


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


@contextmanager
def helper_container(
    client: docker.DockerClient, image: str, purpose: str, **options: Any
) -> Iterator[Container]:
    """A container that is no part of the stack, not started, and removed again."""
    # Else it would have the role that its image is labelled with.
    labels = {f"{PROJECT}.helper": purpose, ROLE_LABEL: "helper"}
    container = client.containers.create(image, labels=labels, **options)
    try:
        yield container
    finally:
        # The images of stores declare volumes; without `v` each call would leave one behind.
        container.remove(force=True, v=True)


@contextmanager
def borrowed_image(client: docker.DockerClient, wanted: str | None) -> Iterator[str]:
    """The id of an image if the engine has it, else of one without files, which goes after use."""
    present = _find_image(client, wanted)
    lent = present or _import_empty(client)
    try:
        yield lent
    finally:
        if not present:
            client.images.remove(lent, force=True)


def _import_empty(client: docker.DockerClient) -> str:
    """An image without files, for resources that may not depend on one that is built."""
    nothing = io.BytesIO()
    tarfile.open(fileobj=nothing, mode="w").close()
    answer = client.api.import_image_from_data(nothing.getvalue())
    return str(json.loads(answer.strip().splitlines()[-1])["status"])


def _find_image(client: docker.DockerClient, wanted: str | None) -> str | None:
    if not wanted:
        return None
    try:
        return str(client.images.get(wanted).id)
    except ImageNotFound:
        return None


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


def _unpack(data: bytes, props: dict[str, Any], shift: int = 0) -> dict[str, bytes]:
    """The files that should be there; one of a wrong owner or mode counts as empty."""
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            name = member.name.partition("/")[2]
            handle = archive.extractfile(member) if name in props["files"] else None
            if handle is not None:
                owners = {int(props["uid"]), int(props["uid"]) + shift}
                right = member.uid in owners and member.mode & 0o777 == _MODE
                found[name] = handle.read() if right else b""
    return found
