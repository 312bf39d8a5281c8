"""The engine's stream of JSON messages while it imports or builds an image."""

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from toolchain.images.errors import ImagesError
from toolchain.images.trace import TraceReader

_TAIL_LINES = 15
_TRACE, _IMAGE = "moby.buildkit.trace", "moby.image.id"


def read_build(stream: Iterable[bytes], role: str, on_line: Callable[[str], None]) -> str:
    """Pass a build's output on, line by line, and return the id of what it built.

    Raises
    ------
    ImagesError
        Raised with the last lines of output when the build fails or ends without an image.
    """
    identity = ""
    trace = TraceReader()
    tail: list[str] = []
    for message in _parse(stream):
        if "error" in message:
            raise ImagesError(_describe_failure(role, str(message["error"]), tail))
        if message.get("id") == _IMAGE:
            identity = str(message["aux"]["ID"])
        if message.get("id") == _TRACE:
            for line in trace.read(base64.b64decode(message["aux"])):
                tail = [*tail, line][-_TAIL_LINES:]
                on_line(line)
    if not identity:
        raise ImagesError(_describe_failure(role, "no image", tail))
    return identity


def read_import(stream: Iterable[bytes]) -> str:
    """The id of an imported image.

    Raises
    ------
    ImagesError
        Raised when the engine refuses the archive.
    """
    identity = ""
    for message in _parse(stream):
        if "error" in message:
            raise ImagesError(_describe_failure("import", str(message["error"]), []))
        status = str(message.get("status", ""))
        identity = status if status.startswith("sha256:") else identity
    if not identity:
        raise ImagesError(_describe_failure("import", "no image", []))
    return identity


def _parse(stream: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for line in stream:
        if line.strip():
            yield json.loads(line)


def _describe_failure(role: str, got: str, tail: list[str]) -> str:
    lines = "".join(f"\n    {line}" for line in tail)
    return (
        f"{role}: should build (got: {got}). "
        f"Mend what the last lines say and run this again; what is done is kept.{lines}"
    )
