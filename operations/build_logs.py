"""Shows how image builds go on: the step that takes long, and the end of a build that fails.

The provider appends each build's log, BuildKit's plain progress, to `<stack>-<role>.log` in a
folder of the clone; Pulumi itself shows nothing until a build ends.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.naming import BUILD_LOGS
from operations.stack import Stack

_POLL_SECONDS = 1.0
_TAIL_LINES = 12
_STEP = re.compile(r"^#(\d+) (\[[^\]]*\d/\d+\] .+)\n", re.MULTILINE)
_END = re.compile(r"^#(\d+) (?:DONE|CACHED|ERROR|CANCELED)\b.*\n", re.MULTILINE)
_FAILURE = re.compile(r"^-{6}\n > (.+?):?\n(.*?)^-{6}$", re.MULTILINE | re.DOTALL)


@contextmanager
def follow_builds(stack: Stack, *, show_steps: bool) -> Iterator[None]:
    """Print failures at the end of the block; with `show_steps`, slow steps while it runs."""
    for log in _find_logs(stack):
        log.unlink()
    ended = threading.Event()
    follower = threading.Thread(target=_print_steps, args=(stack, ended), daemon=True)
    if show_steps:
        follower.start()
    try:
        yield
    finally:
        ended.set()
        if show_steps:
            follower.join()
        for log in _find_logs(stack):
            if failure := describe_failure(log.read_text(errors="replace")):
                print(f"{_image(stack, log)}: the build failed at {failure}")
                print(f"    Whole output: {BUILD_LOGS}/{log.name}", flush=True)


def running_steps(log: str) -> list[str]:
    """The steps that have begun and not ended, such as `[base 2/2] RUN pip install`."""
    ended = set(_END.findall(log))
    return [step for number, step in _STEP.findall(log) if number not in ended]


def describe_failure(log: str) -> str | None:
    """The step that failed and its last lines, if one did."""
    found = _FAILURE.search(log)
    if found is None:
        return None
    return "\n    ".join([found[1], *found[2].splitlines()[-_TAIL_LINES:]])


def _print_steps(stack: Stack, ended: threading.Event) -> None:
    """Print each step once that is still running a moment after it was seen."""
    before, shown = set[str](), set[str]()
    while not ended.wait(_POLL_SECONDS):
        running = {
            f"{_image(stack, log)}: {step}"
            for log in _find_logs(stack)
            for step in running_steps(log.read_text(errors="replace"))
        }
        slow = (running & before) - shown
        for line in sorted(slow):
            print(line, flush=True)
        before, shown = running, shown | slow


def _find_logs(stack: Stack) -> list[Path]:
    # By their whole names: those of stack `dev-2` begin like those of `dev`.
    roles = (path.parent.name for path in (stack.root / "docker").glob("*/Dockerfile"))
    logs = (stack.root / BUILD_LOGS / f"{stack.name}-{role}.log" for role in roles)
    return sorted(log for log in logs if log.exists())


def _image(stack: Stack, log: Path) -> str:
    return f"{log.stem.removeprefix(f'{stack.name}-')} image"
