"""Waits until a container is healthy, and says why it is not."""

from dataclasses import dataclass

from plugins.docker.context import Context
from plugins.docker.engine import Engine, EngineError, Json
from plugins.docker.waiting import wait_for

LOG_LINES = 10
"""Last lines of a container's output that a message shows."""
# A restart policy may carry a container over a slow start; this often, it is a loop.
_MOST_RESTARTS = 5


@dataclass(frozen=True)
class _Verdict:
    """How the wait ended; no problem means healthy."""

    problem: str = ""


def problem_while_waiting(
    context: Context, container_id: str, name: str, timeout_seconds: float
) -> str:
    """Wait until the container is healthy; an empty text, or a complete message.

    An unhealthy container may still recover within the time, as in the official provider; one that
    exited does not.

    Raises
    ------
    CancelledError
        Raised when the user cancels.
    """
    watch = _Watch(context, container_id)
    verdict = wait_for(watch.look, context.cancellation, timeout_seconds)
    if verdict is None:
        found = context.engine.inspect_container(container_id) or {}
        status = _health(found).get("Status", "unknown")
        return (
            f"container '{name}': should become healthy within {timeout_seconds:g} s "
            f"(got: {status}).{_last_probe(found)}{last_log_lines(context.engine, container_id)}"
        )
    if verdict.problem:
        return (
            f"container '{name}': should become healthy (got: {verdict.problem})."
            f"{last_log_lines(context.engine, container_id)}"
        )
    return ""


class _Watch:
    """Looks at one container again and again, and shows what its health check says."""

    def __init__(self, context: Context, container_id: str) -> None:
        self._context = context
        self._id = container_id
        self._shown = ""

    def look(self) -> _Verdict | None:
        """The verdict, or None while it is open."""
        found = self._context.engine.inspect_container(self._id)
        if found is None:
            return _Verdict("it was removed")
        self._show_probe(found)
        return _judge(found)

    def _show_probe(self, found: Json) -> None:
        status = _health(found).get("Status", "starting")
        waiting = f"waiting for health, {status}.{_last_probe(found)}"
        text = "healthy" if status == "healthy" else waiting
        if text != self._shown:
            self._shown = text
            self._context.show_status(text)


def last_log_lines(engine: Engine, container_id: str) -> str:
    """End of a message: what the container wrote last."""
    try:
        lines = engine.read_logs(container_id, LOG_LINES).strip().splitlines()
    except EngineError:
        return " Its log cannot be read."
    if not lines:
        return " It wrote no log."
    return " Last log lines:\n" + "\n".join(f"  {line}" for line in lines)


def _judge(found: Json) -> _Verdict | None:
    state = found["State"]
    if _health(found).get("Status") == "healthy" and state.get("Running"):
        return _Verdict()
    if not state.get("Running") and not state.get("Restarting"):
        return _Verdict(f"it exited with code {state.get('ExitCode')}")
    restarts = found.get("RestartCount", 0)
    if restarts >= _MOST_RESTARTS:
        return _Verdict(f"it exited {restarts} times, last with code {state.get('ExitCode')}")
    return None


def _health(found: Json) -> Json:
    return (found.get("State") or {}).get("Health") or {}


def _last_probe(found: Json) -> str:
    probes = _health(found).get("Log") or []
    if not probes:
        return ""
    output = " ".join(probes[-1].get("Output", "").split())
    said = f": {output}" if output else ""
    return f" Last probe: exit {probes[-1].get('ExitCode')}{said}."
