"""What a killed run has left on the engine, and no state knows."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from docker import DockerClient
from docker.models.configs import Config
from docker.models.containers import Container
from docker.models.networks import Network
from docker.models.secrets import Secret
from docker.models.services import Service

from infra.naming import OWNER_LABEL, STACK_LABEL
from operations.containers import connect_engine, own_containers
from operations.stack import Stack
from operations.swarm import explaining_refusals
from toolchain.setup.processes import is_running

Orphan = Container | Service | Secret | Config | Network
_ON_SWARM = (Service, Secret, Config)


@dataclass(frozen=True)
class Orphans:
    """A stack's objects on the engine, some of which may be orphans.

    Parameters
    ----------
    helpers
        Containers that lend a volume of the stack, and services that lend its networks, to a
        process which has died before them; they would keep those from being removed.
    on_swarm
        Services, then secrets and configs.
    """

    helpers: list[Container | Service]
    containers: list[Container]
    on_swarm: list[Service | Secret | Config]
    networks: list[Network]

    @classmethod
    def find(cls, stack: Stack) -> Self:
        """Ask the engine."""
        client = connect_engine(stack)
        own = own_containers(stack.name, client, of_tasks=False)
        networks = client.networks.list(filters={"label": f"{STACK_LABEL}={stack.name}"})
        helpers: list[Container | Service] = [*_find_helpers(stack, client)]
        on_swarm: list[Service | Secret | Config] = []
        if stack.is_on_swarm:
            services, others = _list_on_swarm(stack, client)
            owners = {
                service: service.attrs["Spec"]["Labels"].get(OWNER_LABEL) for service in services
            }
            helpers += [service for service, owner in owners.items() if owner and _is_dead(owner)]
            on_swarm = [*(service for service, owner in owners.items() if not owner), *others]
        return cls(helpers, own, on_swarm, networks)

    def unknown_to(self, latest: dict[str, Any]) -> list[Orphan]:
        """Helpers, and those of the stack's own that are not in its newest deployment."""
        known = {item["id"] for item in latest.get("resources") or () if "id" in item}
        own = (*self.containers, *self.on_swarm, *self.networks)
        return [*self.helpers, *(one for one in own if one.id not in known)]

    def unfinished(self, latest: dict[str, Any]) -> list[Orphan]:
        """Of the unknown those that a provider had just made when it was killed.

        What runs or is connected has been put there by hand. Where the state knows neither a
        container nor a network, they may be another state's.
        """
        unknown = self.unknown_to(latest)
        own = (*self.containers, *self.on_swarm, *self.networks)
        known = len(self.helpers) + len(own) - len(unknown)
        if (self.containers or self.on_swarm) and not known:
            return [*self.helpers]
        return [one for one in unknown if one in self.helpers or _is_untouched(one)]


def remove(orphans: list[Orphan]) -> Iterator[str]:
    """Remove them in this order, containers first; their names."""
    for one in orphans:
        if isinstance(one, Network):
            remove_network(one)
        elif isinstance(one, _ON_SWARM):
            one.remove()
        else:
            one.remove(force=True, v=True)
        yield str(one.name)


def remove_network(network: Network) -> None:
    """Remove it, whatever is connected to it."""
    network.reload()
    for container in network.attrs["Containers"] or ():
        network.disconnect(container, force=True)
    network.remove()


def _is_untouched(one: Orphan) -> bool:
    if isinstance(one, Network):
        one.reload()
        return not one.attrs["Containers"]
    return isinstance(one, _ON_SWARM) or one.status == "created"


def _list_on_swarm(
    stack: Stack, client: DockerClient
) -> tuple[list[Service], list[Secret | Config]]:
    mine = {"label": f"{STACK_LABEL}={stack.name}"}
    with explaining_refusals(client):
        others = [*client.secrets.list(filters=mine), *client.configs.list(filters=mine)]
        return client.services.list(filters=mine), others


def _find_helpers(stack: Stack, client: DockerClient) -> list[Container]:
    volumes = client.volumes.list(filters={"label": f"{STACK_LABEL}={stack.name}"})
    if not volumes:
        return []
    filters = {"label": OWNER_LABEL, "volume": [volume.name for volume in volumes]}
    helpers = client.containers.list(all=True, filters=filters, ignore_removed=True)
    return [helper for helper in helpers if _is_dead(helper.labels[OWNER_LABEL])]


def _is_dead(owner: str) -> bool:
    """Whether a process of this machine has ended; those of others are unknown."""
    pid, _, host = owner.partition("@")
    return host == socket.gethostname() and not is_running(int(pid))
