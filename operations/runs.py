"""Who is at work on a stack: one `make up` or `down` at a time, and Pulumi's own locks.

Pulumi's backend keeps a lock file for each run, which outlives a SIGKILL; two clones with backends
of their own do not see each other's. So a run holds a file of the machine as well, by the engine it
changes: the kernel lets go of it however the run ends.
"""

import fcntl
import getpass
import json
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from infra.errors import UserError
from infra.naming import PROJECT
from operations.stack import Stack
from toolchain.setup.processes import is_running
from toolchain.setup.project import digest

_FOLDERS = (Path("/run/lock"), Path(tempfile.gettempdir()))
"""The first that is there is the one where every user of the machine can write."""
_ANNOUNCEMENT_SECONDS = 2


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
        """Whether its run is known to have ended."""
        return self.is_here and not is_running(self.pid)

    def __str__(self) -> str:
        return f"process {self.pid} of {self.username} on {self.hostname}"


@contextmanager
def only_run(stack: Stack) -> Iterator[None]:
    """Hold the stack on its engine against every other run of this machine, of whichever clone.

    Raises UserError with who holds it. Another machine's run is seen by Pulumi's lock alone.
    """
    # Only here: the Docker SDK takes 0.3 s to import.
    from operations.containers import connect_engine

    identity = f"{connect_engine(stack).info()['ID']} {stack.name}"
    folder = next(folder for folder in _FOLDERS if folder.is_dir())
    with os.fdopen(_open(folder / f"{PROJECT}-{digest(identity.encode())}.lock"), "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise refusal(stack, _read_holder(file.fileno())) from None
        me = Lock(os.getpid(), getpass.getuser(), socket.gethostname())
        file.write(json.dumps(asdict(me)))
        file.truncate()
        file.flush()
        yield


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
        if holder is not None and not holder.is_dead:
            return holder
        time.sleep(0.02)
    return None


def lock_files(stack: Stack) -> dict[Path, Lock | None]:
    """Every lock of Pulumi's on the stack; none where the backend is no folder."""
    if stack.backend_folder is None:
        return {}
    folder = stack.backend_folder / "locks" / "organization" / PROJECT / stack.name
    found: dict[Path, Lock | None] = {}
    for path in folder.glob("*.json"):
        try:
            found[path] = Lock.read(path.read_text())
        except FileNotFoundError:  # its run has ended meanwhile
            continue
    return found
