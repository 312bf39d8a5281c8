"""What a running build says: lines to show while it runs, and what to tell when it fails."""

import base64
import binascii
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import DecodeError

from plugins.docker.build.wire import StatusResponse

# Enough to see an error message and what led to it; the rest is in the status lines.
FAILURE_LINES = 20
_TRACE, _IMAGE = "moby.buildkit.trace", "moby.image.id"
_STEP_NUMBER = re.compile(r"^\[[^]]*\] ")
_CLASSIC_STEP = re.compile(r"^Step \d+/\d+ : (.+)$")


@dataclass
class Step:
    """One vertex of the build, such as `[2/3] RUN make`."""

    number: int
    name: str
    error: str = ""
    is_announced: bool = False
    is_finished: bool = False
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=FAILURE_LINES))
    partial_line: str = ""

    @property
    def instruction(self) -> str:
        """The Dockerfile's own words, without the step's number."""
        return _STEP_NUMBER.sub("", self.name)


class BuildProgress:
    """Reads the engine's build messages, BuildKit's and the classic builder's.

    Attributes
    ----------
    image_id
        `sha256:...` once the image is there.
    error
        The engine's own message once the build failed.
    """

    def __init__(self) -> None:
        self.image_id = ""
        self.error = ""
        self._steps: dict[str, Step] = {}
        self._classic_step: Step | None = None
        self._transfers: dict[str, int] = {}
        self._shown: set[str] = set()

    def feed(self, message: Mapping[str, Any]) -> Iterator[str]:
        """Take in one message of the engine and yield the lines to show for it."""
        if message.get("id") == _TRACE:
            yield from self._trace(message.get("aux"))
        elif isinstance(message.get("aux"), Mapping):
            self.image_id = message["aux"].get("ID", self.image_id)
        elif "error" in message:
            self.error = (message.get("errorDetail") or {}).get("message") or message["error"]
        elif "stream" in message:
            yield from self._classic_output(message["stream"])
        elif message.get("status"):
            yield from self._classic_status(message)

    def failed_step(self) -> Step | None:
        """The step whose error ended the build; None for a Dockerfile that could not be read."""
        failed = [step for step in self._steps.values() if step.error and not _is_echo(step)]
        if failed:
            return failed[0]
        return self._classic_step if self.error else None

    def _trace(self, encoded: Any) -> Iterator[str]:
        try:
            response = StatusResponse.FromString(base64.b64decode(encoded))
        except (binascii.Error, TypeError, DecodeError):
            # A message of a newer engine is no reason to end a build.
            return
        for vertex in response.vertexes:
            yield from self._vertex(vertex)
        for status in response.statuses:
            yield from self._transfer(status)
        for log in response.logs:
            yield from self._output(log)
        for warning in response.warnings:
            yield f"warning: {warning.short.decode(errors='replace')}"

    def _vertex(self, vertex: Any) -> Iterator[str]:
        step = self._step(vertex.digest)
        step.name = vertex.name or step.name
        if not step.is_announced and vertex.HasField("started"):
            step.is_announced = True
            yield f"#{step.number} {step.name}"
        if step.is_finished or not vertex.HasField("completed"):
            return
        step.is_finished = True
        step.error = vertex.error
        yield from _remainder(step)
        yield f"#{step.number} {_outcome(vertex)}"

    def _transfer(self, status: Any) -> Iterator[str]:
        # Layers report several times a second: a line a tenth is enough.
        tenths = 10 * status.current // status.total if status.total else 0
        if self._transfers.get(status.id, -1) >= tenths:
            return
        self._transfers[status.id] = tenths
        amount = f" {status.current}/{status.total} bytes" if status.total else ""
        yield f"#{self._step(status.vertex).number} {status.name or status.id}{amount}"

    def _output(self, log: Any) -> Iterator[str]:
        step = self._step(log.vertex)
        text = step.partial_line + log.msg.decode(errors="replace")
        *lines, step.partial_line = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for line in lines:
            step.lines.append(line)
            yield f"#{step.number} {line}"

    def _step(self, digest: str) -> Step:
        return self._steps.setdefault(digest, Step(number=len(self._steps) + 1, name=""))

    def _classic_output(self, text: str) -> Iterator[str]:
        for line in text.splitlines():
            started = _CLASSIC_STEP.match(line)
            if started:
                self._classic_step = Step(number=0, name=started[1])
            elif self._classic_step is not None and line.strip():
                self._classic_step.lines.append(line)
            if line.strip():
                yield line

    def _classic_status(self, message: Mapping[str, Any]) -> Iterator[str]:
        line = " ".join(part for part in (message.get("id"), message["status"]) if part)
        # A layer repeats its status with every progress bar.
        if line not in self._shown:
            self._shown.add(line)
            yield line


def _remainder(step: Step) -> Iterator[str]:
    if step.partial_line:
        step.lines.append(step.partial_line)
        yield f"#{step.number} {step.partial_line}"
        step.partial_line = ""


def _outcome(vertex: Any) -> str:
    if vertex.error:
        return f"ERROR {vertex.error}"
    if vertex.cached:
        return "CACHED"
    started, completed = vertex.started, vertex.completed
    seconds = completed.seconds - started.seconds + (completed.nanos - started.nanos) / 1e9
    return f"DONE {seconds:.1f}s"


def _is_echo(step: Step) -> bool:
    # Steps beside the failing one end with it, and are not its cause.
    return "context canceled" in step.error
