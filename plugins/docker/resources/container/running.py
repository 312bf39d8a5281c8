"""A container that the program wants to see through to its end."""

from plugins.docker.context import Context
from plugins.docker.errors import ResourceError
from plugins.docker.values import Values
from plugins.docker.waiting import wait_for

# Of the whole operation in the official provider, unless `custom_timeouts` says otherwise.
_LONGEST_RUN_SECONDS = 20 * 60.0


def wait_for_end(context: Context, container_id: str, inputs: Values) -> Values:
    """Wait until the container has ended; its output, if the program wants it.

    The exit code is an output of the resource and no failure, as in the official provider.

    Raises
    ------
    ResourceError
        Raised when it runs for too long.
    """

    def ended() -> bool | None:
        found = context.engine.inspect_container(container_id)
        return True if found is None or not found["State"]["Running"] else None

    if not wait_for(ended, context.cancellation, _LONGEST_RUN_SECONDS):
        raise ResourceError(
            f"container '{inputs['name']}': should end within {_LONGEST_RUN_SECONDS:g} s, "
            "as attach waits for it (got: still running). Remove attach, or correct its command."
        )
    if not inputs.get("logs"):
        return {}
    return {"containerLogs": context.engine.read_logs(container_id, None)}
