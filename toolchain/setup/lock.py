"""One set-up at a time on a machine."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def hold_lock(path: Path, say: Callable[[str], None]) -> Iterator[int]:
    """Hold the lock, after waiting for the set-up that has it; gives its file descriptor.

    A command that inherits the descriptor goes on holding the lock when the set-up is killed,
    so the next set-up never works beside an orphan of the last.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("set-up: another one is at work, or what it started; waiting for it to end")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()
