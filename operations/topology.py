"""What runs and how it is connected, as a Mermaid diagram (https://mermaid.js.org)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from operations.plan import State


def draw(states: Iterable[State]) -> str:
    """Containers by role, with their ports on the host, networks and data; empty without any."""
    states = list(states)
    networks = {state.inputs.get("name"): state.name for state in states if state.kind == "Network"}
    volumes = {state.inputs.get("name"): state.name for state in states if state.kind == "Volume"}
    # Pulumi tells of them in whatever order they were registered.
    containers = sorted(
        (state for state in states if state.kind == "Container"), key=lambda state: state.role
    )
    count = Counter(state.role for state in containers)
    lines: dict[str, None] = {}
    for container in containers:
        number = count[container.role]
        label = container.role if number == 1 else f"{container.role} x {number}"
        lines |= dict.fromkeys(_edges(container, label, networks, volumes))
    return "\n".join(["flowchart LR", *(f"    {line}" for line in lines)]) if lines else ""


def _edges(
    container: State,
    label: str,
    networks: dict[str | None, str],
    volumes: dict[str | None, str],
) -> Iterator[str]:
    """What leads to it from the host, and what it is connected with."""
    role = container.role
    if ports := [_port(role, port) for port in container.inputs.get("ports") or ()]:
        yield f"{' & '.join(ports)} --> {role}"
    attached = (networks.get(one["name"]) for one in container.inputs.get("networksAdvanced") or ())
    mounted = (volumes.get(mount.get("source")) for mount in container.inputs.get("mounts") or ())
    neighbours = [
        *(f"{name}{{{{{name}}}}}" for name in attached if name),
        *(f"{name}[({name})]" for name in mounted if name and name.endswith("-data")),
    ]
    node = f'{role}["{label}"]'
    yield f"{node} --- {' & '.join(neighbours)}" if neighbours else node


def _port(role: str, port: Mapping[str, Any]) -> str:
    external = port.get("external")
    shown = f"{external:g}" if isinstance(external, int | float) else "a free port"
    return f'host-{role}-{port["internal"]:g}(["{port.get("ip")}:{shown}"])'
