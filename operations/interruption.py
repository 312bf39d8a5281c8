"""An earlier run that was killed: its lock is released, what it left unfinished is removed.

Pulumi's file backend keeps a lock file for each run and writes an operation into the state before
it starts it, so both outlive a SIGKILL, and neither goes away by itself.
"""

import json
import socket
from collections.abc import Set
from dataclasses import dataclass
from typing import Any, Self

from infra.errors import UserError
from infra.naming import PROJECT, STACK_LABEL, container_labels
from operations.stack import Stack
from toolchain.setup.processes import is_running


@dataclass(frozen=True)
class Lock:
    """What a run of Pulumi writes beside the states while it works on one."""

    pid: int
    username: str
    hostname: str

    @classmethod
    def read(cls, text: str) -> Self:
        """From Pulumi's JSON."""
        known = json.loads(text)
        return cls(int(known["pid"]), known["username"], known["hostname"])

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


def clear_up(stack: Stack) -> None:
    """Repair what a killed run has left, so that the next one succeeds.

    A backend that is not a folder is left to Pulumi's own commands.

    Raises UserError when another run still works on the stack.
    """
    if stack.state is None:
        return
    latest = read_latest(stack)
    if not (_release_dead_lock(stack) or latest.get("pending_operations")):
        return
    print(f"stack {stack.name}: clearing up after a run that was killed", flush=True)
    stack.prepare_with_pulumi("refresh", "--yes", "--skip-preview", "--clear-pending-creates")
    resources = read_latest(stack).get("resources") or ()
    _remove_orphans(stack, {item["id"] for item in resources if "id" in item})


def read_locks(stack: Stack) -> list[Lock]:
    """Every lock on the stack; none where the backend is no folder."""
    if stack.backend_folder is None:
        return []
    folder = stack.backend_folder / "locks" / "organization" / PROJECT / stack.name
    return [Lock.read(path.read_text()) for path in folder.glob("*.json")]


def _release_dead_lock(stack: Stack) -> bool:
    """Release the lock of a run that has ended; whether there was one."""
    locks = read_locks(stack)
    for lock in locks:
        if not lock.is_dead:
            raise UserError(
                f"stack {stack.name}: no other run should hold it (got {lock}). Wait for it, or "
                "end it."
            )
    if locks:
        stack.prepare_with_pulumi("cancel", "--yes")
    return bool(locks)


def read_latest(stack: Stack) -> dict[str, Any]:
    """The newest deployment in the state; empty before the first."""
    if stack.state is None or not stack.state.exists():
        return {}
    return json.loads(stack.state.read_text())["checkpoint"].get("latest") or {}


def _remove_orphans(stack: Stack, known: Set[str]) -> None:
    """Remove the stack's containers and networks that its state does not know.

    A run that is killed while the engine works for it leaves them behind, and the next would fail
    for their names. Volumes stay: the next run takes them over, with their data.
    """
    # Only here: the Docker SDK takes 0.3 s to import, and most runs have nothing to clear up.
    from operations.containers import connect_engine

    client = connect_engine(stack)
    containers = client.containers.list(
        all=True, filters={"label": container_labels(stack.name)}, ignore_removed=True
    )
    for container in containers:
        if container.id not in known:
            container.remove(force=True)
            print(f"removed {container.name}, left by a run that was killed", flush=True)
    for network in client.networks.list(filters={"label": f"{STACK_LABEL}={stack.name}"}):
        if network.id not in known:
            network.remove()
            print(f"removed {network.name}, left by a run that was killed", flush=True)
