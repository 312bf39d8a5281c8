"""Says what the engine refused, and what to do about it."""

import re

from plugins.docker.engine import Engine, EngineError
from plugins.docker.errors import ResourceError
from plugins.docker.values import Values

_CONFLICT, _MISSING = 409, 404
_TAKEN = ("port is already allocated", "address already in use", "Ports are not available")
_ADDRESS = re.compile(r"(?P<ip>\d+(?:\.\d+){3}|\[[0-9a-fA-F:]*\]):(?P<port>\d+)")
_OWNER = re.compile(r'by container "?([0-9a-f]{12})')


def explain(error: EngineError, step: str, inputs: Values, engine: Engine) -> ResourceError:
    """The engine's refusal as a message for the user.

    Parameters
    ----------
    step
        What was being done, such as `started`.
    """
    where = f"container '{inputs['name']}':"
    text = error.explanation
    if "no space left on device" in text:
        return ResourceError(
            f"{where} the engine's disk should have space (got: no space left on device). "
            "Free some with 'docker system df' and 'docker image prune', then try again."
        )
    if any(mark in text for mark in _TAKEN):
        return _port_taken(where, text, inputs, engine)
    if error.status == _CONFLICT and "is already in use" in text and "name" in text:
        return _name_taken(where, text)
    return _of_config(where, text) or ResourceError(f"{where} cannot be {step} (got: {text}).")


def _of_config(where: str, text: str) -> ResourceError | None:
    if "bind source path does not exist" in text:
        path = text.rpartition(":")[2].strip()
        return ResourceError(
            f"{where} the source of a bind mount should exist on the engine's machine "
            f"(got: {path}). Create it, or correct mounts."
        )
    if "executable file not found" in text or "no such file or directory: unknown" in text:
        return ResourceError(
            f"{where} its command should exist in the image (got: {_last_part(text)}). "
            "Correct command or entrypoints."
        )
    if "failed to initialize logging driver" in text or "unknown log opt" in text:
        return ResourceError(
            f"{where} the engine should accept its logging (got: {text}). "
            "Correct logDriver or logOpts."
        )
    return None


def _port_taken(where: str, text: str, inputs: Values, engine: Engine) -> ResourceError:
    # Newer engines name the container's own address too, behind the host's.
    match = _ADDRESS.search(text)
    if match is None:
        return ResourceError(
            f"{where} its address in the network should be free (got: {text}). "
            "Set another ipv4Address, or stop its user."
        )
    user = _user_of_port(engine, int(match["port"]), inputs["name"])
    return ResourceError(
        f"{where} port {match['ip']}:{match['port']} should be free (taken by {user}). "
        "Set another port or stop its user."
    )


def _user_of_port(engine: Engine, port: int, own_name: str) -> str:
    try:
        found = engine.list_containers({"publish": str(port)})
    except EngineError:
        found = []
    names = {user["Names"][0].lstrip("/") for user in found if user.get("State") == "running"}
    others = sorted(names - {own_name})
    return f"container '{others[0]}'" if others else "another program"


def _name_taken(where: str, text: str) -> ResourceError:
    owner = _OWNER.search(text)
    taken = f"container {owner[1]}" if owner else "another container"
    return ResourceError(
        f"{where} its name should be free (taken by {taken}). "
        "Remove that container, import it, or choose another name."
    )


def _last_part(text: str) -> str:
    return text.rpartition("unable to start container process: ")[2].removesuffix(": unknown")
