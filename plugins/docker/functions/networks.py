"""`docker.get_network`: what the engine knows about a network."""

from collections.abc import Mapping
from typing import Any

from docker.errors import NotFound

from plugins.docker.functions.lookup import Lookup, LookupFailed


def get_network(lookup: Lookup, args: Mapping[str, Any]) -> dict[str, Any]:
    """Look a network up by name or id.

    Raises
    ------
    LookupFailed
        Raised when there is none.
    """
    name = args["name"]
    try:
        network = lookup.client.api.inspect_network(name)
    except NotFound as error:
        raise LookupFailed(
            f"network '{name}': should exist on the engine (got: not found). "
            "Create it, or correct the name."
        ) from error
    return {
        "id": network["Id"],
        "name": network["Name"],
        "scope": network["Scope"],
        "driver": network["Driver"],
        "options": network.get("Options") or {},
        "internal": network["Internal"],
        "ipamConfigs": [_ipam(config) for config in (network["IPAM"].get("Config") or ())],
        "containers": _containers(network.get("Containers") or {}),
    }


def _ipam(config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "subnet": config.get("Subnet", ""),
        "gateway": config.get("Gateway", ""),
        "ipRange": config.get("IPRange", ""),
        "auxAddress": config.get("AuxiliaryAddresses") or {},
    }


def _containers(attached: Mapping[str, Mapping[str, str]]) -> list[dict[str, str]]:
    return [
        {
            "containerId": container_id,
            "name": endpoint.get("Name", ""),
            "endpointId": endpoint.get("EndpointID", ""),
            "macAddress": endpoint.get("MacAddress", ""),
            "ipv4Address": endpoint.get("IPv4Address", ""),
            "ipv6Address": endpoint.get("IPv6Address", ""),
        }
        for container_id, endpoint in sorted(attached.items())
    ]
