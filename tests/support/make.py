"""The front door: make targets on a test's stack, and edits of its files."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.portal_stack import PortalStack


@dataclass(frozen=True)
class Done:
    """What a target printed and its exit code."""

    code: int
    out: str
    err: str


def make(stack: PortalStack, target: str, **variables: str) -> Done:
    """Run a make target on the stack, without a terminal."""
    words = [f"{name}={value}" for name, value in {"STACK": stack.name, **variables}.items()]
    return run(stack, "make", "--no-print-directory", target, *words)


def run(stack: PortalStack, *command: str) -> Done:
    """Run a command where the stack's user would, without a terminal."""
    done = subprocess.run(
        command,
        cwd=stack.project,
        env=stack.environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    with stack.log.open("a") as log:
        log.write(done.stdout + done.stderr)
    return Done(done.returncode, done.stdout, done.stderr)


def succeed(stack: PortalStack, target: str, **variables: str) -> str:
    """Run a make target that should succeed; what it printed."""
    done = make(stack, target, **variables)
    assert done.code == 0, done.out + done.err
    return done.out


@contextmanager
def edited(path: Path, edit: Callable[[str], str]) -> Iterator[None]:
    """A file with another text, which is again what it was afterwards."""
    before = path.read_text()
    path.write_text(edit(before))
    try:
        yield
    finally:
        path.write_text(before)
