"""A build context as the tar stream that the engine's build call takes."""

import os
import stat
import tarfile
from collections.abc import Iterable, Iterator

from plugins.docker.build.context import BuildContext, ContextError, Entry

_BLOCK_BYTES = 64 * 1024
_ROOT_MODE = 0o755
_ENCODING = "utf-8"
_END = b"\0" * (2 * tarfile.BLOCKSIZE)


def stream_context(context: BuildContext) -> Iterator[bytes]:
    """Blocks of a tar stream; files are read while it is sent, none is held in memory.

    Raises
    ------
    ContextError
        Raised for a file that cannot be read, or that shrinks meanwhile.
    """
    return _in_blocks(_parts(context))


def _parts(context: BuildContext) -> Iterator[bytes]:
    # BuildKit looks at the first header alone to see that this is a tar: it must be a plain one,
    # which a long first name would not be.
    yield _header(tarfile.TarInfo("./"), _ROOT_MODE, tarfile.DIRTYPE)
    sent_dockerfile = context.sent_dockerfile
    dockerfile_is_sent = False
    for entry in context.entries():
        dockerfile_is_sent = dockerfile_is_sent or entry.name == sent_dockerfile
        yield from _entry_parts(entry)
    if not dockerfile_is_sent:
        # Outside of the context, or ignored there: the builder needs it all the same.
        path = os.fspath(context.dockerfile.resolve())
        yield from _entry_parts(Entry(sent_dockerfile, path, os.stat(path)))
    yield _END


def _entry_parts(entry: Entry) -> Iterator[bytes]:
    info = tarfile.TarInfo(entry.name)
    info.mtime = int(entry.status.st_mtime)
    mode = entry.status.st_mode
    if entry.is_folder:
        yield _header(info, mode, tarfile.DIRTYPE)
    elif entry.is_link:
        info.linkname = os.readlink(entry.path)
        yield _header(info, mode, tarfile.SYMTYPE)
    elif stat.S_ISREG(mode):
        info.size = entry.status.st_size
        yield _header(info, mode, tarfile.REGTYPE)
        yield from _content(entry)
    elif stat.S_ISFIFO(mode):
        yield _header(info, mode, tarfile.FIFOTYPE)


def _header(info: tarfile.TarInfo, mode: int, kind: bytes) -> bytes:
    info.type = kind
    info.mode = stat.S_IMODE(mode)
    # Owners stay root whoever runs the build, as with the docker CLI.
    return info.tobuf(tarfile.GNU_FORMAT, _ENCODING, "surrogateescape")


def _content(entry: Entry) -> Iterator[bytes]:
    missing = entry.status.st_size
    try:
        with open(entry.path, "rb") as file:
            while missing and (block := file.read(min(missing, _BLOCK_BYTES))):
                missing -= len(block)
                yield block
    except OSError as error:
        raise ContextError(
            f"build context: {entry.path} should be readable "
            f"(got: {(error.strerror or 'error').lower()}). Correct its permissions, "
            "or name it in .dockerignore."
        ) from error
    if missing:
        raise ContextError(
            f"build context: {entry.path} should not shrink during the build "
            f"(got {missing} bytes less). Run it again."
        )
    yield b"\0" * (-entry.status.st_size % tarfile.BLOCKSIZE)


def _in_blocks(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Join the many small headers and files: each block costs a system call."""
    buffer = bytearray()
    for part in parts:
        buffer += part
        if len(buffer) >= _BLOCK_BYTES:
            yield bytes(buffer)
            buffer.clear()
    if buffer:
        yield bytes(buffer)
