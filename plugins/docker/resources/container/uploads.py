"""Files put into a container before it starts."""

import base64
import grp
import io
import pwd
import tarfile
import time
from pathlib import Path

from plugins.docker.errors import ResourceError
from plugins.docker.values import Values

_PLAIN_MODE, _EXECUTABLE_MODE = 0o644, 0o744


def pack(uploads: list[Values], container: str) -> bytes:
    """One tar archive, to be unpacked at the container's root.

    Raises
    ------
    ResourceError
        Raised for a source that cannot be read, or an owner this machine does not know.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for index, upload in enumerate(uploads):
            where = f"container '{container}': uploads[{index}]"
            content = _content(upload, where)
            archive.addfile(_header(upload, len(content), where), io.BytesIO(content))
    return buffer.getvalue()


def _header(upload: Values, size: int, where: str) -> tarfile.TarInfo:
    header = tarfile.TarInfo(upload["file"])
    header.size = size
    header.mode = _mode(upload)
    header.mtime = int(time.time())
    header.uid = _uid(upload.get("owner") or "0", where)
    header.gid = _gid(upload.get("group") or "0", where)
    return header


def _mode(upload: Values) -> int:
    if upload.get("permissions"):
        return int(upload["permissions"], 8)
    return _EXECUTABLE_MODE if upload.get("executable") else _PLAIN_MODE


def _content(upload: Values, where: str) -> bytes:
    if upload.get("content"):
        return upload["content"].encode()
    if upload.get("contentBase64"):
        return base64.b64decode(upload["contentBase64"])
    try:
        return Path(upload["source"]).read_bytes()
    except OSError as error:
        raise ResourceError(
            f"{where}.source: should be a readable file "
            f"(got: {(error.strerror or 'error').lower()}: {upload['source']}). Correct the path."
        ) from error


def _uid(owner: str, where: str) -> int:
    """Number of a user; names are those of this machine, as in the official provider."""
    try:
        return int(owner) if owner.isdigit() else pwd.getpwnam(owner).pw_uid
    except KeyError as error:
        raise _nobody(f"{where}.owner", "user", owner) from error


def _gid(group: str, where: str) -> int:
    try:
        return int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
    except KeyError as error:
        raise _nobody(f"{where}.group", "group", group) from error


def _nobody(where: str, kind: str, name: str) -> ResourceError:
    return ResourceError(
        f"{where}: should be a number or a {kind} of this machine (got {name!r}). Use a number."
    )
