"""What runs and how it is connected, as a Mermaid diagram (https://mermaid.js.org)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from infra.naming import CONTAINER, SERVICE
from operations.plan import State


def draw(states: Iterable[State]) -> str:
    """Containers or services by role, with their ports, networks and data; empty without any."""
    states = list(states)
    # Containers name a network, services its id, which is not known before it is there.
    networks = {
        key: state.name
        for state in states
        if state.kind == "Network"
        for key in (state.inputs.get("name"), state.id)
        if key
    }
    volumes = {state.inputs.get("name"): state.name for state in states if state.kind == "Volume"}
    # Pulumi tells of them in whatever order they were registered.
    running = sorted(
        (state for state in states if state.type in (CONTAINER, SERVICE)),
        key=lambda state: state.role,
    )
    count = Counter(state.role for state in running)
    lines: dict[str, None] = {}
    for state in running:
        label = f"{state.role}{_number(state, count[state.role])}"
        lines |= dict.fromkeys(_edges(state, label, networks, volumes))
    return "\n".join(["flowchart LR", *(f"    {line}" for line in lines)]) if lines else ""


def _number(state: State, containers: int) -> str:
    mode = state.inputs["mode"] if state.type == SERVICE else {}
    if mode.get("global"):
        return " on each edge node"
    number = mode["replicated"]["replicas"] if mode else containers
    return "" if number == 1 else f" x {number:g}"


def _edges(
    state: State, label: str, networks: Mapping[str, str], volumes: Mapping[str | None, str]
) -> Iterator[str]:
    """What leads to it from the host, and what it is connected with."""
    role = state.role
    if ports := [*_ports(state)]:
        yield f"{' & '.join(ports)} --> {role}"
    own = state.inputs.get("networksAdvanced") or state.task.get("networksAdvanceds") or ()
    attached = (networks.get(one.get("name") or one.get("id")) for one in own)
    mounted = (volumes.get(mount.get("source")) for mount in state.container.get("mounts") or ())
    neighbours = [
        *(f"{name}{{{{{name}}}}}" for name in attached if name),
        *(f"{name}[({name})]" for name in mounted if name and name.endswith("-data")),
    ]
    node = f'{role}["{label}"]'
    yield f"{node} --- {' & '.join(neighbours)}" if neighbours else node


def _ports(state: State) -> Iterator[str]:
    published = (state.inputs.get("endpointSpec") or {}).get("ports") or ()
    for port in state.inputs.get("ports") or ():
        external = port.get("external")
        shown = f"{external:g}" if isinstance(external, int | float) else "a free port"
        yield _port(state.role, port["internal"], f"{port.get('ip')}:{shown}")
    for port in published:
        yield _port(state.role, port["targetPort"], f"edge nodes:{port['publishedPort']:g}")


def _port(role: str, internal: float, shown: str) -> str:
    return f'host-{role}-{internal:g}(["{shown}"])'
