"""What runs and how it is connected, as a Mermaid diagram (https://mermaid.js.org)."""

from collections import Counter
from collections.abc import Iterable, Iterator

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
        lines[f'{container.role}["{label}"]'] = None
        lines |= dict.fromkeys(_edges(container, networks, volumes))
    return "\n".join(["flowchart LR", *(f"    {line}" for line in lines)]) if lines else ""


def _edges(
    container: State, networks: dict[str | None, str], volumes: dict[str | None, str]
) -> Iterator[str]:
    role = container.role
    for port in container.inputs.get("ports") or ():
        external = port.get("external")
        shown = f"{external:g}" if isinstance(external, int | float) else "a free port"
        yield f'host-{role}-{port["internal"]:g}(["{port.get("ip")}:{shown}"]) --> {role}'
    for attached in container.inputs.get("networksAdvanced") or ():
        if name := networks.get(attached["name"]):
            yield f"{role} --- {name}{{{{{name}}}}}"
    for mount in container.inputs.get("mounts") or ():
        name = volumes.get(mount.get("source"), "")
        if name.endswith("-data"):
            yield f"{role} --- {name}[({name})]"
