"""An earlier run that was killed: its lock is released, what it left unfinished is removed.

Pulumi's file backend keeps a lock file for each run and writes an operation into the state before
it starts it, so both outlive a SIGKILL, and neither goes away by itself.
"""

import json
import socket
from collections.abc import Mapping
from typing import Any

from infra.errors import UserError
from infra.naming import PROJECT
from operations.stack import Stack
from toolchain.setup.processes import is_running


def clear_up(stack: Stack) -> None:
    """Repair what a killed run has left, so that the next one succeeds.

    A backend that is not a folder is left to Pulumi's own commands.

    Raises UserError when another run still works on the stack.
    """
    if stack.state is None:
        return
    latest = read_latest(stack)
    if not (release_dead_lock(stack) or latest.get("pending_operations")):
        return
    print(f"stack {stack.name}: clearing up after a run that was killed", flush=True)
    stack.prepare_with_pulumi("refresh", "--yes", "--skip-preview", "--clear-pending-creates")
    # Only here: the Docker SDK takes 0.3 s to import, and most runs have nothing to clear up.
    from operations.containers import remove_orphans

    for name in remove_orphans(stack, known_ids(read_latest(stack))):
        print(f"removed {name}, left by a run that was killed", flush=True)


def release_dead_lock(stack: Stack) -> bool:
    """Release the lock of a run that has ended; whether there was one.

    Raises UserError when another run still holds the stack.
    """
    locks = _read_locks(stack)
    for lock in filter(_may_be_alive, locks):
        raise UserError(
            f"stack {stack.name}: no other run should hold it (got process {lock['pid']} of "
            f"{lock['username']} on {lock['hostname']}). Wait for it, or end it."
        )
    if locks:
        stack.prepare_with_pulumi("cancel", "--yes")
    return bool(locks)


def read_latest(stack: Stack) -> dict[str, Any]:
    """The newest deployment in the state; empty before the first."""
    if stack.state is None or not stack.state.exists():
        return {}
    return json.loads(stack.state.read_text())["checkpoint"].get("latest") or {}


def known_ids(latest: Mapping[str, Any]) -> set[str]:
    """Ids of everything on the engine that a deployment knows."""
    return {str(item["id"]) for item in latest.get("resources") or () if item.get("id")}


def _read_locks(stack: Stack) -> list[dict[str, Any]]:
    """Who holds the stack: pid, username, hostname, timestamp."""
    assert stack.backend_folder is not None
    folder = stack.backend_folder / "locks" / "organization" / PROJECT / stack.name
    return [json.loads(path.read_text()) for path in folder.glob("*.json")]


def _may_be_alive(lock: Mapping[str, Any]) -> bool:
    """Whether the run that took a lock may still go on: on another machine that is unknown."""
    return lock["hostname"] != socket.gethostname() or is_running(int(lock["pid"]))
