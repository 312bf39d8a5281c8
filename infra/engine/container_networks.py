"""Which networks a container is on, which the docker provider never reads back, and its ports."""

from collections.abc import Mapping, Sequence
from typing import Any

import docker
from docker.models.containers import Container

Membership = Mapping[str, Sequence[str]]
"""Aliases of a container by the name of the network."""


def describe_membership(attrs: Mapping[str, Any], wanted: Membership) -> str | None:
    """What is wrong with the networks of a container; None if it is on those wanted alone."""
    found = _memberships(attrs)
    if found.keys() != wanted.keys():
        return f"on {', '.join(sorted(found)) or 'no network'}"
    lost = (name for name in wanted if not _has_aliases(found[name], wanted[name]))
    if name := next(lost, None):
        return f"without its alias {', '.join(wanted[name])} on {name}"
    return None


def connect_to(client: docker.DockerClient, container: Container, wanted: Membership) -> None:
    """Bring the container onto the networks wanted and off all others.

    Whatever of its connections is as it should be stays up. Raises docker's APIError.
    """
    found = _memberships(container.attrs)
    right = {name for name in found if name in wanted and _has_aliases(found[name], wanted[name])}
    if not container.attrs["State"].get("Running"):
        right -= {name for name in right if _is_of_another(client, container.attrs, name)}
    for name in found.keys() - right:
        client.api.disconnect_container_from_network(str(container.id), name, force=True)
    for name in wanted.keys() - right:
        aliases = list(wanted[name])
        client.api.connect_container_to_network(str(container.id), name, aliases=aliases)
    container.reload()


def _memberships(attrs: Mapping[str, Any]) -> dict[str, list[str]]:
    networks = attrs["NetworkSettings"]["Networks"] or {}
    return {name: endpoint.get("Aliases") or [] for name, endpoint in networks.items()}


def _is_of_another(client: docker.DockerClient, attrs: Mapping[str, Any], name: str) -> bool:
    """Whether a container that does not run is to be on a network which another has replaced.

    It does not start any more. An engine that dies during a refresh has the docker provider take
    its networks out of the state: the next `up` makes them again.
    """
    id_ = attrs["NetworkSettings"]["Networks"][name].get("NetworkID")
    return bool(id_) and client.networks.get(name).id != id_


def _has_aliases(found: Sequence[str], wanted: Sequence[str]) -> bool:
    # The engine adds the container's id.
    return set(wanted) <= set(found)


def published_addresses(attrs: Mapping[str, Any]) -> dict[str, list[str]]:
    """`address:port` of each published port; an IPv6 address stands in brackets."""
    ports = attrs["NetworkSettings"]["Ports"] or {}
    return {
        port: [join_address(entry["HostIp"], entry["HostPort"]) for entry in entries or []]
        for port, entries in ports.items()
    }


def join_address(host: str, port: int | str) -> str:
    """`host:port`, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
