"""Output of a plugin's process, as the engine wants to hear it."""

import subprocess
import threading
from collections.abc import Iterator
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING

from plugins.language.protocol import language_pb2

if TYPE_CHECKING:
    from pulumi.runtime.proto.language_pb2 import RunPluginResponse


def stream_output(process: subprocess.Popen[bytes]) -> Iterator["RunPluginResponse"]:
    """Yield the lines a process writes to both outputs, until it closes them."""
    lines: SimpleQueue[tuple[str, bytes]] = SimpleQueue()
    open_streams = {"stdout": process.stdout, "stderr": process.stderr}
    for name, stream in open_streams.items():
        assert stream is not None
        threading.Thread(target=_read, args=(name, stream, lines), daemon=True).start()
    while open_streams:
        name, line = lines.get()
        if line:
            yield _response(name, line)
        else:
            del open_streams[name]


def _read(name: str, stream: IO[bytes], lines: "SimpleQueue[tuple[str, bytes]]") -> None:
    for line in stream:
        lines.put((name, line))
    lines.put((name, b""))


def _response(name: str, line: bytes) -> "RunPluginResponse":
    if name == "stdout":
        return language_pb2.RunPluginResponse(stdout=line)
    return language_pb2.RunPluginResponse(stderr=line)
