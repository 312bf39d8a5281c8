"""An earlier run that was killed: its lock is taken away, what it left half-made is removed.

Pulumi's file backend keeps a lock file for each run and writes an operation into the state before
it starts it, so that both outlive a SIGKILL; neither goes away by itself.
"""

import json
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from toolchain.setup.processes import is_running
from operations.errors import CommandError

_PROJECT = "devportal"


@dataclass(frozen=True)
class StackRecords:
    """What the file backend keeps of one stack."""

    state: Path
    locks: Path

    @classmethod
    def of(cls, backend_url: str, stack: str) -> "StackRecords | None":
        """None for a backend that is not a folder: there Pulumi's own commands have to do."""
        url = urlsplit(backend_url)
        if url.scheme != "file":
            return None
        folder = Path(url.path) / ".pulumi"
        return cls(
            folder / "stacks" / _PROJECT / f"{stack}.json",
            folder / "locks" / "organization" / _PROJECT / stack,
        )

    def read_locks(self) -> list[dict[str, Any]]:
        """Who holds the stack: pid, username, hostname, timestamp."""
        return [json.loads(path.read_text()) for path in self.locks.glob("*.json")]

    def read_latest(self) -> dict[str, Any]:
        """The newest deployment; empty before the first."""
        try:
            checkpoint = json.loads(self.state.read_text())["checkpoint"]
        except OSError:
            return {}
        return checkpoint.get("latest") or {}


def is_alive(lock: Mapping[str, Any]) -> bool:
    """Whether the run that took a lock may still go on; on another machine nobody can tell."""
    if lock["hostname"] != socket.gethostname():
        return True
    return is_running(int(lock["pid"]))


def release_dead_lock(records: StackRecords, stack: str, pulumi: "PulumiRunner") -> bool:
    """Take away the lock of a run that is no more; whether there was one.

    Raises
    ------
    CommandError
        Raised when another run still holds the stack.
    """
    locks = records.read_locks()
    for lock in filter(is_alive, locks):
        raise CommandError(
            f"stack {stack}: no other run should hold it (got process {lock['pid']} of "
            f"{lock['username']} on {lock['hostname']}). Wait for it, or end it."
        )
    if locks:
        pulumi.run("cancel", "--yes")
    return bool(locks)


def has_half_made(records: StackRecords) -> bool:
    """Whether a run ended in the middle of an operation."""
    return bool(records.read_latest().get("pending_operations"))


def known_ids(records: StackRecords) -> set[str]:
    """Ids of everything on the engine that the state knows."""
    resources = records.read_latest().get("resources", [])
    return {str(resource["id"]) for resource in resources if resource.get("id")}


@dataclass(frozen=True)
class PulumiRunner:
    """Runs `pulumi` on one stack and shows nothing unless it fails."""

    root: Path
    stack: str
    environ: Mapping[str, str]

    def run(self, *arguments: str) -> None:
        """Run one command.

        Raises
        ------
        CommandError
            Raised with what `pulumi` says when it fails.
        """
        done = subprocess.run(
            ["pulumi", *arguments, "--stack", self.stack, "--non-interactive"],
            cwd=self.root,
            env=dict(self.environ),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise CommandError(
                f"pulumi {arguments[0]}: should clear up after the run that was killed "
                f"(got: {(done.stderr or done.stdout).strip()})."
            )
