"""A resource as a rule sees it, a Swarm service in the words of a container, and what a rule is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.settings import Environment
from infra.naming import ROLE_LABEL, find_label

_RESTART = {"none": "no", "any": "always"}


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource as the program asks for it."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    protect: bool
    environment: Environment

    @property
    def role(self) -> str | None:
        return find_label(self.inputs.get("labels"), ROLE_LABEL)


Reason = str | None
"""`should be ... (got ...). What to do.`; None while the rule holds."""
Rule = Callable[[Resource], Reason]


def show(value: object) -> str:
    """A value as a reason tells it."""
    if isinstance(value, float):  # as every number comes from Pulumi
        return f"{value:g}"
    return "nothing" if value in (None, "") else str(value)


def show_all(values: Sequence[str]) -> str:
    """Values as a reason tells them."""
    return ", ".join(values) or "none"


def as_container(service: Resource) -> Resource:
    """A Swarm service with a container's inputs, which are those of its tasks."""
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
