"""An earlier run that was killed: its lock is released, what it left unfinished is removed.

Pulumi's file backend keeps a lock file for each run and writes an operation into the state before
it starts it, so both outlive a SIGKILL, and neither goes away by itself.
"""

import json
import socket
from collections.abc import Set
from typing import Any

from infra.errors import UserError
from infra.naming import PROJECT, STACK_LABEL, container_labels
from operations.stack import Stack
from toolchain.setup.processes import is_running


def clear_up(stack: Stack) -> None:
    """Repair what a killed run has left, so that the next one succeeds.

    A backend that is not a folder is left to Pulumi's own commands.

    Raises UserError when another run still works on the stack.
    """
    if stack.state is None:
        return
    latest = _read_latest(stack)
    if not (_release_dead_lock(stack) or latest.get("pending_operations")):
        return
    print(f"stack {stack.name}: clearing up after a run that was killed", flush=True)
    stack.prepare_with_pulumi("refresh", "--yes", "--skip-preview", "--clear-pending-creates")
    resources = _read_latest(stack).get("resources") or ()
    _remove_orphans(stack, {item["id"] for item in resources if "id" in item})


def _release_dead_lock(stack: Stack) -> bool:
    """Release the lock of a run that has ended; whether there was one."""
    assert stack.backend_folder is not None
    folder = stack.backend_folder / "locks" / "organization" / PROJECT / stack.name
    locks = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    for lock in locks:
        # Whether a run on another machine goes on is unknown.
        if lock["hostname"] == socket.gethostname() and not is_running(int(lock["pid"])):
            continue
        raise UserError(
            f"stack {stack.name}: no other run should hold it (got process {lock['pid']} of "
            f"{lock['username']} on {lock['hostname']}). Wait for it, or end it."
        )
    if locks:
        stack.prepare_with_pulumi("cancel", "--yes")
    return bool(locks)


def _read_latest(stack: Stack) -> dict[str, Any]:
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
