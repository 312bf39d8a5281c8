"""An earlier run that was killed: its lock is released, what it left unfinished is removed.

Pulumi's file backend keeps a lock file for each run and writes an operation into the state before
it starts it, so both outlive a SIGKILL, and neither goes away by itself.
"""

import json
from typing import Any

from infra.errors import UserError
from infra.naming import STACK_LABEL, container_labels
from operations.runs import lock_files, refusal
from operations.stack import Stack


def clear_up(stack: Stack) -> None:
    """Repair what a killed run has left, so that the next one succeeds.

    The locks of a backend that is not a folder are left to Pulumi's own commands.

    Raises UserError when another run still works on the stack, or it is another state's.
    """
    latest = read_latest(stack)
    _refuse_other_state(stack, latest)
    if not (_release_dead_locks(stack) or latest.get("pending_operations")):
        return
    print(f"stack {stack.name}: clearing up after a run that was killed", flush=True)
    stack.prepare_with_pulumi("refresh", "--yes", "--skip-preview", "--clear-pending-creates")
    _remove_orphans(stack)


def _release_dead_locks(stack: Stack) -> bool:
    """Release the locks of runs that have ended; whether there were any.

    Each by its own file: `pulumi cancel` would release a lock that was taken meanwhile as well. One
    that tells no holder was being written when its machine stopped: a run begins with it whole.
    """
    locks = lock_files(stack)
    for lock in locks.values():
        if lock is not None and not lock.is_dead:
            raise refusal(stack, lock)
    for path in locks:
        path.unlink(missing_ok=True)
    return bool(locks)


def read_latest(stack: Stack) -> dict[str, Any]:
    """The newest deployment in the state; empty before the first.

    Raises UserError where a backend that is no folder does not answer.
    """
    if stack.state is None:
        done = stack.run_pulumi("stack", "export")
        if done.returncode and "no stack named" not in done.stderr:
            raise UserError(f"state: should be readable (got: {done.stderr.strip()}).")
        return {} if done.returncode else json.loads(done.stdout)["deployment"]
    if not stack.state.exists():
        return {}
    return json.loads(stack.state.read_text())["checkpoint"].get("latest") or {}


def _refuse_other_state(stack: Stack, latest: dict[str, Any]) -> None:
    """Raise UserError where the engine has the stack and the state, still empty, does not.

    Passwords made anew would be written over those that its servers run with.
    """
    # Only here: the Docker SDK takes 0.3 s to import.
    from operations.containers import connect_engine

    if latest.get("resources") or latest.get("pending_operations"):
        return
    there = connect_engine(stack).containers.list(
        all=True, filters={"label": container_labels(stack.name)}, ignore_removed=True
    )
    if there:
        names = ", ".join(sorted(str(container.name) for container in there))
        raise UserError(
            f"stack {stack.name}: its state should know its containers (got none in the state, and "
            f"on the engine {names}). Set PULUMI_BACKEND_URL to where their state lies, or put it "
            f"back with `make state-restore STACK={stack.name}`; if it is lost, remove them with "
            "`docker rm --force --volumes`."
        )


def _remove_orphans(stack: Stack) -> None:
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
    networks = client.networks.list(filters={"label": f"{STACK_LABEL}={stack.name}"})
    # In this order: what a plain `pulumi up` has made by now, it has a lock for or a state with.
    _release_dead_locks(stack)
    resources = read_latest(stack).get("resources") or ()
    known = {item["id"] for item in resources if "id" in item}
    for container in containers:
        if container.id not in known:
            container.remove(force=True)
            print(f"removed {container.name}, left by a run that was killed", flush=True)
    for network in networks:
        if network.id not in known:
            network.remove()
            print(f"removed {network.name}, left by a run that was killed", flush=True)
