"""Networks of a container in the engine's terms."""

from dataclasses import dataclass

from plugins.docker.context import Context
from plugins.docker.engine import Json
from plugins.docker.errors import ResourceError
from plugins.docker.fields import is_empty
from plugins.docker.values import Values

MANY_ENDPOINTS_API = (1, 44)
"""First API version that takes several networks, and a MAC address each, when creating."""
GATEWAY_PRIORITY_API = (1, 48)


@dataclass(frozen=True)
class Endpoint:
    """A network that the container is in, and how."""

    network_id: str
    network_name: str
    settings: Json


def find_endpoints(context: Context, inputs: Values) -> list[Endpoint]:
    """Endpoints of `networksAdvanced`, the networks looked up.

    Raises
    ------
    ResourceError
        Raised for a network that does not exist.
    """
    return [
        _find_endpoint(context, inputs["name"], entry)
        for entry in inputs.get("networksAdvanced") or ()
    ]


def first_endpoint(endpoints: list[Endpoint], network_mode: str) -> Endpoint | None:
    """The network to create the container in; the others are joined before it starts.

    The official provider creates it on the default bridge and moves it; the result is the same.
    A network mode of the user's own is left as it is.
    """
    for endpoint in endpoints:
        if network_mode in ("bridge", "default", endpoint.network_name, endpoint.network_id):
            return endpoint
    return None


def with_endpoint(config: Json, endpoint: Endpoint, api_version: tuple[int, int]) -> Json:
    """The container's configuration, in the endpoint's network from the beginning."""
    host = {**config["HostConfig"], "NetworkMode": endpoint.network_name}
    networking = {"EndpointsConfig": {endpoint.network_name: endpoint.settings}}
    joined = {**config, "HostConfig": host, "NetworkingConfig": networking}
    mac_address = endpoint.settings.get("MacAddress")
    if mac_address and api_version < MANY_ENDPOINTS_API:
        joined["MacAddress"] = mac_address
    return joined


def _find_endpoint(context: Context, container: str, entry: Values) -> Endpoint:
    found = context.engine.inspect_network(entry["name"])
    if found is None:
        raise ResourceError(
            f"container '{container}': network '{entry['name']}' should exist (got: not found). "
            "Create it first, and pass its name from that resource."
        )
    if entry.get("gwPriority") and context.engine.api_version < GATEWAY_PRIORITY_API:
        context.show_warning(
            f"container '{container}': networksAdvanced.gwPriority is left out; "
            "the engine's API has it from version 1.48 on"
        )
        entry = {key: value for key, value in entry.items() if key != "gwPriority"}
    return Endpoint(found["Id"], found["Name"], _settings(entry))


def _settings(entry: Values) -> Json:
    options = (option.partition("=") for option in entry.get("driverOpts") or ())
    addresses = {
        "IPv4Address": entry.get("ipv4Address"),
        "IPv6Address": entry.get("ipv6Address"),
        "LinkLocalIPs": entry.get("linkLocalIps"),
    }
    settings = {
        "Aliases": entry.get("aliases"),
        "IPAMConfig": {key: value for key, value in addresses.items() if value},
        "MacAddress": entry.get("macAddress"),
        "DriverOpts": {name: value for name, equals, value in options if equals},
        "GwPriority": entry.get("gwPriority"),
    }
    return {key: value for key, value in settings.items() if not is_empty(value)}
