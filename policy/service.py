"""A Swarm service as the rules see it: its tasks, in the words of a container."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from policy.resource import Resource

_RESTART = {"none": "no", "any": "always"}


def as_container(service: Resource) -> Resource:
    """The service with a container's inputs."""
    given = service.inputs
    task: Mapping[str, Any] = given.get("taskSpec") or {}
    spec: Mapping[str, Any] = task.get("containerSpec") or {}
    inputs = {
        **{key: spec.get(key) for key in ("image", "user", "readOnly", "mounts", "healthcheck")},
        **_limits(task),
        "labels": given.get("labels"),
        "capabilities": {"drops": spec.get("capDrops"), "adds": spec.get("capAdds")},
        "envs": [f"{name}={value}" for name, value in (spec.get("env") or {}).items()],
        "restart": _restart(task),
        "destroyGraceSeconds": spec.get("stopGracePeriod"),
        "logDriver": (task.get("logDriver") or {}).get("name"),
        "logOpts": (task.get("logDriver") or {}).get("options"),
        "ports": [
            {"internal": port["targetPort"], "external": port.get("publishedPort")}
            for port in (given.get("endpointSpec") or {}).get("ports") or ()
        ],
    }
    return replace(service, inputs=inputs)


def _limits(task: Mapping[str, Any]) -> dict[str, Any]:
    limits: Mapping[str, Any] = (task.get("resources") or {}).get("limits") or {}
    memory = limits.get("memoryBytes")
    # Swarm says nothing of swap.
    return {"memory": memory, "memorySwap": memory, "cpus": limits.get("nanoCpus")}


def _restart(task: Mapping[str, Any]) -> str | None:
    condition = (task.get("restartPolicy") or {}).get("condition")
    return condition and _RESTART.get(condition, condition)
