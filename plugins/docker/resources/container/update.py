"""Changes a container in place."""

from collections.abc import Set as AbstractSet

from plugins.docker.context import Context
from plugins.docker.engine import Json
from plugins.docker.resource import UpdateRequest
from plugins.docker.resources.container.config import MEGABYTE, memory_limits, restart_policy
from plugins.docker.resources.container.fields import SET_ON_ENGINE
from plugins.docker.values import Values

_MEMORY = {"memory", "memorySwap", "memoryReservation"}
_RESTART = {"restart", "maxRetryCount"}


def update_container(context: Context, request: UpdateRequest, changed: AbstractSet[str]) -> None:
    """Carry out the changes that concern the engine; the others are settings of Pulumi's own.

    Raises
    ------
    EngineError
        Raised when the engine refuses, a limit below what is in use for example.
    """
    if changed & SET_ON_ENGINE:
        context.engine.update_container(request.id, _body(request.inputs, changed))
    if "mustRun" in changed and request.inputs.get("mustRun") and request.inputs.get("start"):
        context.engine.start_container(request.id)


def _body(inputs: Values, changed: AbstractSet[str]) -> Json:
    body: Json = {}
    if changed & _RESTART:
        body["RestartPolicy"] = restart_policy(inputs)
    if changed & _MEMORY:
        body |= _memory(inputs)
    if "cpuShares" in changed:
        body["CpuShares"] = inputs["cpuShares"]
    if "cpuSet" in changed:
        body["CpusetCpus"] = inputs["cpuSet"]
    return body


def _memory(inputs: Values) -> Json:
    """Memory and swap together: the engine refuses memory above the swap limit it has."""
    limits = memory_limits(inputs)
    if limits.get("Memory") and "MemorySwap" not in limits:
        # What the engine itself chooses for a new container.
        limits["MemorySwap"] = 2 * inputs["memory"] * MEGABYTE
    return limits
