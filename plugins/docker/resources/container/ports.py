"""Published ports: what the program asked for, and what the engine chose."""

from plugins.docker.engine import Json
from plugins.docker.values import Values, has_unknown


def chosen_ports(ports: list[Values], found: Json) -> list[Values]:
    """The program's ports, with the host's port where the engine was free to choose.

    A stopped container publishes nothing; then they stay as they are known.
    """
    published = (found.get("NetworkSettings") or {}).get("Ports") or {}
    return [port | _chosen(port, published) for port in ports]


def adopt_chosen(ports: list[Values], state: list[Values]) -> list[Values]:
    """The program's ports for a comparison with the state: a free choice fits any port."""
    left = list(state)
    adopted = []
    for port in ports:
        same = next((old for old in left if _is_same(port, old)), None)
        if same is None or port.get("external"):
            adopted.append(port)
        else:
            left.remove(same)
            adopted.append(port | {"external": same.get("external")})
    return adopted


def ports_from_engine(found: Json) -> list[Values]:
    """Ports as an import shows them: those that were asked for."""
    bindings = (found["HostConfig"].get("PortBindings") or {}).items()
    ports = []
    for key, chosen in sorted(bindings, key=lambda item: int(item[0].partition("/")[0])):
        internal, _, protocol = key.partition("/")
        for binding in chosen or ():
            ports.append(
                {
                    "internal": int(internal),
                    "external": int(binding.get("HostPort") or 0),
                    "ip": binding.get("HostIp") or "0.0.0.0",
                    "protocol": protocol,
                }
            )
    return ports


def _chosen(port: Values, published: Json) -> Values:
    if port.get("external"):
        return {}
    key = f"{port['internal']}/{port.get('protocol') or 'tcp'}"
    address = port.get("ip") or "0.0.0.0"
    for binding in published.get(key) or ():
        if binding.get("HostIp") == address:
            return {"external": int(binding["HostPort"])}
    return {}


def _is_same(port: Values, other: Values) -> bool:
    return not has_unknown(port) and all(
        (port.get(key) or default) == (other.get(key) or default)
        for key, default in (("internal", 0), ("protocol", "tcp"), ("ip", "0.0.0.0"))
    )
