"""Reads BuildKit's progress messages: just enough of protobuf for step names and their output.

Source: moby/buildkit `api/services/control/control.proto`, messages StatusResponse, Vertex and
VertexLog.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_VERTEXES, _LOGS = 1, 3
_VERTEX_NAME, _VERTEX_STARTED = 3, 5
_LOG_VERTEX, _LOG_TEXT = 1, 4


@dataclass
class TraceReader:
    """Turns the messages of one build into lines: `Step NAME` once for each step, and its output.

    Output comes in pieces that end anywhere; a line is told when it is whole.
    """

    _steps: set[str] = field(default_factory=set)
    _unfinished: dict[bytes, str] = field(default_factory=dict)

    def read(self, message: bytes) -> Iterator[str]:
        """Lines that one StatusResponse completes."""
        for number, value in _read_fields(message):
            if number == _VERTEXES:
                yield from self._read_vertex(dict(_read_fields(value)))
            elif number == _LOGS:
                yield from self._read_log(dict(_read_fields(value)))

    def _read_vertex(self, vertex: dict[int, bytes]) -> Iterator[str]:
        name = vertex.get(_VERTEX_NAME, b"").decode(errors="replace")
        if _VERTEX_STARTED in vertex and name not in self._steps:
            self._steps.add(name)
            yield f"Step {name}"

    def _read_log(self, log: dict[int, bytes]) -> Iterator[str]:
        vertex = log.get(_LOG_VERTEX, b"")
        text = self._unfinished.get(vertex, "") + log.get(_LOG_TEXT, b"").decode(errors="replace")
        *lines, self._unfinished[vertex] = text.split("\n")
        yield from (line.rstrip() for line in lines if line.strip())


def _read_fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The length-delimited fields of a message; numbers are skipped."""
    position = 0
    while position < len(message):
        key, position = _read_varint(message, position)
        kind = key & 7
        if kind == _BYTES:
            size, position = _read_varint(message, position)
            yield key >> 3, message[position : position + size]
            position += size
        elif kind == _VARINT:
            _, position = _read_varint(message, position)
        elif kind in (_FIXED64, _FIXED32):
            position += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"protobuf: unknown wire type {kind}")


def _read_varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position
