"""One number for all that a build reads from this machine: Dockerfile and context.

The recipe is the official provider's (pulumi-docker `provider.go`, `contextHashAccumulator`), so a
stack can change between the two without a rebuild; links are hashed by what they say, not by where
that is on this machine.
"""

import hashlib
import os
import stat
from collections.abc import Iterator

from plugins.docker.build.context import BuildContext, ContextError, Entry

_NO_MODE = "----------"
# The name under which every Dockerfile is counted, whatever it is called.
_DOCKERFILE = "Dockerfile"
_KINDS = {
    stat.S_IFLNK: "L",
    stat.S_IFIFO: "p",
    stat.S_IFBLK: "D",
    stat.S_IFCHR: "Dc",
}
_SPECIAL_BITS = ((stat.S_ISUID, "u"), (stat.S_ISGID, "g"), (stat.S_ISVTX, "t"))


def context_digest(context: BuildContext) -> str:
    """Hex SHA-256 over names, modes and content; times and places do not count.

    Raises
    ------
    ContextError
        Raised for a file that cannot be read.
    """
    total = hashlib.sha256()
    dockerfile = _content_digest(os.fspath(context.dockerfile))
    total.update(_record(_DOCKERFILE, _NO_MODE, dockerfile))
    for record in _records(context):
        total.update(record)
    return total.hexdigest()


def _records(context: BuildContext) -> Iterator[bytes]:
    for entry in context.entries():
        if not entry.is_folder:
            yield _record(entry.name, _mode_text(entry.status.st_mode), _entry_digest(entry))


def _record(name: str, mode: str, digest: bytes) -> bytes:
    return os.fsencode(name) + mode.encode() + digest + b"\0"


def _entry_digest(entry: Entry) -> bytes:
    if entry.is_link:
        return hashlib.sha256(os.fsencode(os.readlink(entry.path))).digest()
    if stat.S_ISREG(entry.status.st_mode):
        return _content_digest(entry.path)
    return hashlib.sha256().digest()


def _content_digest(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise ContextError(
            f"build context: {path} should be readable "
            f"(got: {(error.strerror or 'error').lower()}). Correct its permissions, "
            "or name it in .dockerignore."
        ) from error


def _mode_text(mode: int) -> str:
    """Mode as Go prints it: kind and special bits, then rwx three times."""
    head = _KINDS.get(stat.S_IFMT(mode), "")
    head += "".join(letter for bit, letter in _SPECIAL_BITS if mode & bit)
    flags = "".join(
        letter if mode & (1 << (8 - position)) else "-"
        for position, letter in enumerate("rwxrwxrwx")
    )
    return (head or "-") + flags
