"""Who is at work on a stack: one `make up` or `down` at a time, and Pulumi's own locks.

Pulumi's backend keeps a lock file for each run, which outlives a SIGKILL; two clones with backends
of their own do not see each other's. So a run holds a file of the machine as well, by the engine it
changes: the kernel lets go of it however the run ends.
"""

import fcntl
import getpass
import json
import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self, TextIO

from infra.errors import UserError
from infra.naming import PROJECT
from operations.containers import connect_engine
from operations.stack import Stack
from toolchain.setup.processes import is_running
from toolchain.setup.project import digest

_FOLDERS = (Path("/run/lock"), Path("/tmp"))
"""All users of a machine have to take the same: the first that each of them may write to."""
_WRITABLE_BY_ALL = 0o002
_ANNOUNCEMENT_SECONDS = 2
_PULUMI = ("pulumi", ".pulumi-wrapped")
"""What its process is called, the second where Nix has packed it."""
_IN_REFUSAL = re.compile(r": created by (.+)@(\S+) \(pid (\d+)\)")


@dataclass(frozen=True)
class Lock:
    """What a run of Pulumi writes beside the states while it works on one."""

    pid: int
    username: str
    hostname: str

    @classmethod
    def read(cls, text: str) -> Self | None:
        """From Pulumi's JSON; None where a run was stopped while it wrote it."""
        try:
            known = json.loads(text)
            return cls(int(known["pid"]), known["username"], known["hostname"])
        except (ValueError, KeyError, TypeError):
            return None

    @property
    def is_here(self) -> bool:
        """Whether its run is one of this machine; whether another machine's goes on is unknown."""
        return self.hostname == socket.gethostname()

    @property
    def is_dead(self) -> bool:
        """Whether its run is known to have ended; another program may have its process id by now.

        After a power loss most ids are in use again.
        """
        return self.is_here and not any(is_running(self.pid, name) for name in _PULUMI)

    def __str__(self) -> str:
        return f"process {self.pid} of {self.username} on {self.hostname}"


@contextmanager
def only_run(stack: Stack, *, clears_up: bool = True) -> Iterator[bool]:
    """Hold the stack on its engine against every other run of this machine, of whichever clone.

    Yields whether the run before was killed, since when the machine has not started again.

    Parameters
    ----------
    clears_up
        Whether this run puts right what a killed one has left; otherwise the next run still learns
        of it.

    Raises UserError with who holds it. Another machine's run is seen by Pulumi's lock alone.
    """
    identity = f"{connect_engine(stack).info()['ID']} {stack.name}"
    path = _lock_folder() / f"{PROJECT}-{digest(identity.encode())}.lock"
    # Every user may write to it: what is no text counts like any other that a run has left.
    with os.fdopen(_open(path), "r+", errors="replace") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise refusal(stack, _read_holder(file.fileno())) from None
        was_killed = bool(file.read())
        me = Lock(os.getpid(), user_name(), socket.gethostname())
        _write(file, json.dumps(asdict(me)))
        is_cleared = not was_killed
        try:
            yield was_killed
            is_cleared |= clears_up
        finally:
            # What the run before has left may be there still.
            if is_cleared:
                _write(file, "")


def user_name() -> str:
    """Who runs this; the user's id where the machine has no name for it, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _lock_folder() -> Path:
    for folder in _FOLDERS:
        if folder.is_dir() and folder.stat().st_mode & _WRITABLE_BY_ALL:
            return folder
    return _FOLDERS[-1]


def _write(file: TextIO, text: str) -> None:
    """Write the text over the file's own; a reader meets one that is empty between."""
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()


def describe_run(stack: Stack, lock: Lock | None) -> str:
    """Who is at work on the stack."""
    got = lock or "one that does not say whose it is"
    return f"stack {stack.name}: no other run should hold it (got {got})."


def refusal(stack: Stack, lock: Lock | None) -> UserError:
    """What ends the run that comes second."""
    return UserError(f"{describe_run(stack, lock)} Wait for it, or end it.")


def _open(path: Path) -> int:
    """Open the file for every user of the machine; a link of somebody else's is not followed."""
    while True:
        try:
            # Not created in the same call: the kernel refuses that for a file of another user's.
            return os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError:
            try:
                made = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
            except FileExistsError:
                continue
            os.fchmod(made, 0o666)
            return made


def _read_holder(descriptor: int) -> Lock | None:
    """Who holds the file; that stands in it a moment after the kernel knows."""
    deadline = time.monotonic() + _ANNOUNCEMENT_SECONDS
    while time.monotonic() < deadline:
        holder = Lock.read(os.pread(descriptor, 4096, 0).decode(errors="replace"))
        if holder is not None and (not holder.is_here or is_running(holder.pid)):
            return holder
        time.sleep(0.02)
    return None


def find_locks(refusal: str) -> list[Lock]:
    """The locks that Pulumi names where one is in its way."""
    return [Lock(int(pid), user, host) for user, host, pid in _IN_REFUSAL.findall(refusal)]


def lock_files(stack: Stack) -> dict[Path, Lock | None]:
    """Every lock of Pulumi's on the stack; none where the backend is no folder."""
    if stack.backend_folder is None:
        return {}
    folder = stack.backend_folder / "locks" / "organization" / PROJECT / stack.name
    found: dict[Path, Lock | None] = {}
    for path in folder.glob("*.json"):
        try:
            found[path] = Lock.read(path.read_text(errors="replace"))
        except FileNotFoundError:  # its run has ended meanwhile
            continue
    return found
