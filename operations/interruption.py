"""An earlier run that was killed: its lock is released, what it left unfinished is removed.

Pulumi's file backend keeps a lock file for each run and writes an operation into the state before
it starts it, so both outlive a SIGKILL, and neither goes away by itself. Where a provider alone was
killed there is neither: Pulumi takes its operation for one that failed, and forgets what the engine
has made of it.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from infra.errors import UserError
from infra.naming import PROJECT
from operations.containers import connect_engine, own_containers
from operations.orphans import Orphans, remove
from operations.runs import find_locks, lock_files, refusal
from operations.stack import Stack

_REFRESH = ("refresh", "--yes", "--skip-preview", "--clear-pending-creates")


class DamagedStateError(UserError):
    """A state that is cut off, as a loss of power leaves one; nothing can be done without it."""


def clear_up(stack: Stack, *, was_killed: bool = False) -> dict[str, Any]:
    """Repair what a killed run has left, so that the next one succeeds.

    Returns the newest deployment, as `read_latest` does.

    Parameters
    ----------
    was_killed
        Whether the last run of this machine was: the locks in a backend that is no folder can be
        known by Pulumi's refusal alone.

    Raises UserError when another run still works on the stack, or it is another state's.
    """
    latest = read_latest(stack)
    _refuse_other_state(stack, latest)
    is_locked = was_killed and stack.state is None
    begun = _release_dead_locks(stack) or latest.get("pending_operations") or is_locked
    if not (begun or Orphans.find(stack).unfinished(latest)):
        return latest
    print(f"stack {stack.name}: clearing up after a run that was killed", flush=True)
    # A run that goes on may have just made it; in a backend that is no folder Pulumi alone sees it.
    if begun or stack.state is None:
        _refresh(stack)
    found = Orphans.find(stack)
    # In this order: what a plain `pulumi up` has made by now, it has a lock for or a state with.
    _release_dead_locks(stack)
    latest = read_latest(stack)
    for name in remove(found.unknown_to(latest) if begun else found.unfinished(latest)):
        print(f"removed {name}, left by a run that was killed", flush=True)
    return latest


def remove_torn_files(stack: Stack) -> None:
    """Take away what a kill or a loss of power has left half-written and Pulumi can do without.

    Two kinds it writes in place: the attributes beside each file of its file backend (fileblob of
    gocloud.dev, at every write of the state), and which stack a folder has selected. Where one is
    torn every command fails, with no more than `EOF`. A run that is just writing one goes on.
    """
    for path in (*_attributes(stack), *_selections(stack)):
        # One that is replaced meanwhile, or another user's.
        with suppress(FileNotFoundError, PermissionError):
            if _is_torn(path):
                path.unlink()


def _is_torn(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return True
    return False


def _attributes(stack: Stack) -> list[Path]:
    if stack.backend_folder is None:
        return []
    patterns = (
        "*.attrs",
        f"stacks/{PROJECT}/{stack.name}.json*.attrs",
        f"history/{PROJECT}/{stack.name}/*.attrs",
        f"locks/organization/{PROJECT}/{stack.name}/*.attrs",
    )
    return [path for pattern in patterns for path in stack.backend_folder.glob(pattern)]


def _selections(stack: Stack) -> list[Path]:
    folder = Path(stack.environ["PULUMI_HOME"]) / "workspaces"
    return list(folder.glob(f"{PROJECT}-*-workspace.json"))


def _refresh(stack: Stack) -> None:
    """Let Pulumi see what the engine has, once no lock of a run that has ended is in its way.

    While such a lock is there no other run can take one, which `pulumi cancel` would release.
    """
    done = stack.run_pulumi(*_REFRESH)
    if not done.returncode:
        return
    if locks := find_locks(done.stderr + done.stdout):
        for lock in (lock for lock in locks if not lock.is_dead):
            raise refusal(stack, lock)
        stack.prepare_with_pulumi("cancel", "--yes")
    stack.prepare_with_pulumi(*_REFRESH)


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

    Raises UserError where a backend that is no folder does not answer, DamagedStateError for a
    file that is not whole.
    """
    if stack.state is None:
        done = stack.run_pulumi("stack", "export")
        if done.returncode and "no stack named" not in done.stderr:
            raise UserError(f"state: should be readable (got: {done.stderr.strip()}).")
        return {} if done.returncode else json.loads(done.stdout)["deployment"]
    if not stack.state.exists():
        return {}
    try:
        return json.loads(stack.state.read_text())["checkpoint"].get("latest") or {}
    except ValueError as error:
        raise DamagedStateError(
            f"{stack.state}: should be the JSON that Pulumi has written (got: {error}). Run "
            f"`cp {stack.state}.bak {stack.state}`, which puts back what it was a step before, or "
            f"`make state-restore STACK={stack.name}`."
        ) from None


def _refuse_other_state(stack: Stack, latest: dict[str, Any]) -> None:
    """Raise UserError where the engine has the stack and the state, still empty, does not.

    Passwords made anew would be written over those that its servers run with.
    """
    if latest.get("resources") or latest.get("pending_operations"):
        return
    there = own_containers(stack.name, connect_engine(stack), of_tasks=stack.is_on_swarm)
    if there:
        removal = "docker service rm" if stack.is_on_swarm else "docker rm --force --volumes"
        names = ", ".join(sorted(str(container.name) for container in there))
        raise UserError(
            f"stack {stack.name}: its state should know its containers (got none in the state, and "
            f"on the engine {names}). Set PULUMI_BACKEND_URL to where their state lies, or put it "
            f"back with `make state-restore STACK={stack.name}`; if it is lost, remove them with "
            f"`{removal}`."
        )
