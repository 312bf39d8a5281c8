"""Shows how image builds go on: the step that takes long, and the end of a build that fails.

The provider appends each build's log, BuildKit's plain progress, to `<stack>-<role>.log` in a
folder of the clone; Pulumi itself shows nothing until a build ends.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from operations.stack import Stack

FOLDER = ".build-logs"
"""As infra.resources.image has it, whose import takes a second."""

_POLL_SECONDS = 1.0
_TAIL_LINES = 12
_STEP = re.compile(r"#(\d+) \[([^\]]*\d/\d+)\] (.+)")
_END = re.compile(r"#(\d+) (?:DONE|CACHED|ERROR|CANCELED)\b")
_FAILURE = re.compile(r"^-{6}\n > (.+?):?\n(.*?)^-{6}$", re.MULTILINE | re.DOTALL)


@dataclass
class BuildLog:
    """The log of one image's build, read while it grows."""

    path: Path
    role: str
    _offset: int = 0
    _running: dict[str, str] = field(default_factory=dict)
    _shown: set[str] = field(default_factory=set)

    def slow_steps(self) -> Iterator[str]:
        """Read on; a line for each step that already ran at the call before."""
        before = set(self._running)
        with self.path.open("rb") as file:
            file.seek(self._offset)
            written = file.read()
        whole_lines = written[: written.rfind(b"\n") + 1]
        self._offset += len(whole_lines)
        for line in whole_lines.decode(errors="replace").splitlines():
            self._read_line(line)
        for step in sorted(before & self._running.keys() - self._shown, key=int):
            self._shown.add(step)
            yield f"{self.role} image: {self._running[step]}"

    def failure(self) -> str | None:
        """The step that failed and its last lines, if one did."""
        found = _FAILURE.search(self.path.read_text(errors="replace"))
        if found is None:
            return None
        lines = [f"    {line}" for line in found[2].splitlines()[-_TAIL_LINES:]]
        first = f"{self.role} image: the build failed at {found[1]}"
        return "\n".join([first, *lines, f"    Whole output: {FOLDER}/{self.path.name}"])

    def _read_line(self, line: str) -> None:
        if step := _STEP.match(line):
            self._running[step[1]] = f"[{step[2]}] {step[3]}"
        elif end := _END.match(line):
            self._running.pop(end[1], None)


@contextmanager
def follow_builds(stack: Stack, *, show_steps: bool) -> Iterator[None]:
    """Print failures at the end of the block; with `show_steps`, slow steps while it runs."""
    for log in _find_logs(stack):
        log.path.unlink()
    ended = threading.Event()
    follower = threading.Thread(target=_follow, args=(stack, ended), daemon=True)
    if show_steps:
        follower.start()
    try:
        yield
    finally:
        ended.set()
        if show_steps:
            follower.join()
        for failure in filter(None, (log.failure() for log in _find_logs(stack))):
            print(failure, flush=True)


def _follow(stack: Stack, ended: threading.Event) -> None:
    logs: dict[Path, BuildLog] = {}
    while not ended.wait(_POLL_SECONDS):
        for found in _find_logs(stack):
            for line in logs.setdefault(found.path, found).slow_steps():
                print(line, flush=True)


def _find_logs(stack: Stack) -> list[BuildLog]:
    prefix = f"{stack.name}-"
    paths = sorted((stack.root / FOLDER).glob(f"{prefix}*.log"))
    return [BuildLog(path, path.stem.removeprefix(prefix)) for path in paths]
