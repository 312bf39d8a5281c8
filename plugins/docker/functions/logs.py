"""`docker.get_logs`: what a container has written."""

import struct
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from docker.errors import NotFound

from plugins.docker.functions.durations import duration_seconds
from plugins.docker.functions.lookup import Lookup, LookupFailed

DEFAULTS: dict[str, Any] = {
    "details": False,
    "discardHeaders": True,
    "follow": False,
    "logsListStringEnabled": True,
    "showStderr": True,
    "showStdout": True,
    "since": "",
    "tail": "",
    "timestamps": False,
    "until": "",
}
# Each piece of output of a container without terminal: stream, three unused bytes, length.
_FRAME = struct.Struct(">BxxxL")


def get_logs(lookup: Lookup, args: Mapping[str, Any]) -> dict[str, Any]:
    """Read a container's output as a list of lines.

    Raises
    ------
    LookupFailed
        Raised when there is no such container, or when a time cannot be read.
    """
    wanted = {**DEFAULTS, **args}
    name = wanted["name"]
    lines = _read(lookup, wanted) if wanted["logsListStringEnabled"] else []
    return {**wanted, "id": name, "logsListStrings": lines}


def _read(lookup: Lookup, wanted: Mapping[str, Any]) -> list[str]:
    api = lookup.client.api
    try:
        has_terminal = api.inspect_container(wanted["name"])["Config"]["Tty"]
    except NotFound as error:
        raise LookupFailed(
            f"container '{wanted['name']}': should exist on the engine (got: not found). "
            "Create it, or correct the name."
        ) from error
    url = api._url("/containers/{0}/logs", wanted["name"])
    # No time limit: following lasts as long as the container does.
    output = api._result(api._get(url, params=_query(wanted), timeout=None), binary=True)
    if wanted["discardHeaders"] and not has_terminal:
        output = b"".join(_without_headers(output))
    return output.decode(errors="replace").splitlines()


def _query(wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "stdout": int(wanted["showStdout"]),
        "stderr": int(wanted["showStderr"]),
        "since": _unix_time(wanted, "since"),
        "until": _unix_time(wanted, "until"),
        "timestamps": int(wanted["timestamps"]),
        "follow": int(wanted["follow"]),
        "tail": wanted["tail"] or "all",
        "details": int(wanted["details"]),
    }


def _unix_time(wanted: Mapping[str, Any], key: str) -> str | None:
    """Seconds since 1970 from such a number, a date, or a duration before now."""
    text = wanted[key]
    if not text or text.replace(".", "", 1).isdigit():
        return text or None
    try:
        return f"{datetime.fromisoformat(text).timestamp():.9f}"
    except ValueError:
        seconds = duration_seconds(text)
    if seconds is None:
        raise LookupFailed(
            f"{key}: should be seconds since 1970, an ISO date or a duration (got '{text}'). "
            "Write for example 2026-01-31T08:00:00 or 10m."
        )
    return f"{time.time() - seconds:.9f}"


def _without_headers(output: bytes) -> Iterator[bytes]:
    position = 0
    while position + _FRAME.size <= len(output):
        _, length = _FRAME.unpack_from(output, position)
        position += _FRAME.size
        yield output[position : position + length]
        position += length
