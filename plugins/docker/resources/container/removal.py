"""Stops and removes a container."""

from plugins.docker.context import Context
from plugins.docker.engine import EngineError
from plugins.docker.errors import ResourceError
from plugins.docker.values import Values
from plugins.docker.waiting import wait_for

# Removal is done when the call returns, but for containers which remove themselves.
_REMOVAL_SECONDS = 30.0
_MISSING, _CONFLICT = 404, 409
_GOING = "is already in progress"


def remove_container(context: Context, container_id: str, state: Values) -> None:
    """Remove a container; one that is missing is no error.

    Parameters
    ----------
    state
        Says how: `destroyGraceSeconds` (unset means SIGKILL at once), `removeVolumes`, `attach`.
    """
    found = context.engine.inspect_container(container_id)
    if found is None or found["Id"] != container_id:
        return
    name = found["Name"].lstrip("/")
    try:
        if not state.get("attach"):
            _stop(context, container_id, state.get("destroyGraceSeconds") or 0)
        _remove(context, container_id, with_volumes=bool(state.get("removeVolumes", True)))
    except EngineError as error:
        raise ResourceError(f"container '{name}': cannot be removed (got: {error}).") from error
    gone = wait_for(
        lambda: context.engine.inspect_container(container_id) is None or None,
        context.cancellation,
        _REMOVAL_SECONDS,
    )
    if not gone:
        raise ResourceError(
            f"container '{name}': should be gone {_REMOVAL_SECONDS:g} s after its removal "
            "(got: the engine still has it). Look at the engine's log, then try again."
        )


def _stop(context: Context, container_id: str, grace_seconds: int) -> None:
    try:
        context.engine.stop_container(container_id, grace_seconds)
    except EngineError as error:
        if error.status != _MISSING:
            raise


def _remove(context: Context, container_id: str, *, with_volumes: bool) -> None:
    try:
        context.engine.remove_container(container_id, with_volumes=with_volumes)
    except EngineError as error:
        if error.status != _MISSING and _GOING not in error.explanation:
            raise
