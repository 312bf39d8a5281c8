"""A free port of the engine's host: chosen once, then kept in the state.

The engine would choose another at every restart of the container.
"""

import errno
import random
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import docker
import pulumi

from infra.engine.address import EngineAddress
from infra.engine.resource import EngineProvider, EngineResource, Props, engine_of
from infra.errors import ProviderError

# Below the range from which Linux takes ports for outgoing connections: such a connection would
# hold the port when the container starts again.
_CANDIDATES = range(20000, 32768)
_ATTEMPTS = 100
_EVERY_ADDRESS = {"0.0.0.0", "::"}
_chosen: set[int] = set()
_choosing = threading.Lock()


class HostPortError(ProviderError):
    """No free port was found."""


class _HostPortProvider(EngineProvider):
    key = "name"
    identity = ("address",)

    def put(self, olds: Props, news: Props) -> Props:
        with _choosing:
            port = choose_port(engine_of(news), news["address"])
            # Ports of one `up` are chosen before any of their containers is there.
            _chosen.add(port)
        return {"port": port}


def choose_port(client: docker.DockerClient, address: str) -> int:
    """A port that neither a container of the engine nor a process of this machine listens on.

    Raises
    ------
    HostPortError
        Raised when none is found.
    """
    taken = _chosen | {item.port for item in published_ports(client)}
    for _ in range(_ATTEMPTS):
        port = random.choice(_CANDIDATES)
        # Of an address of another machine its engine reports a port that is taken.
        if port not in taken and bind_error(address, port) in (None, errno.EADDRNOTAVAIL):
            return port
    raise HostPortError(
        f"ports: should have a free one on {address} from {_CANDIDATES[0]} to {_CANDIDATES[-1]} "
        f"(got none in {_ATTEMPTS} attempts). Set the port to one that is free."
    )


@dataclass(frozen=True)
class Published:
    """A port of the engine's host that a container has.

    Parameters
    ----------
    address
        Address of the host; `0.0.0.0` and `::` are all of it.
    protocol
        `tcp` or `udp`.
    labels
        Of the container.
    """

    address: str
    port: int
    protocol: str
    container: str
    labels: Mapping[str, str]

    def is_on(self, address: str) -> bool:
        """Whether it takes the port from that address of the host."""
        return self.address == address or not _EVERY_ADDRESS.isdisjoint((self.address, address))


def published_ports(client: docker.DockerClient) -> list[Published]:
    """Every port that running containers of the engine have on its host."""
    return [
        Published(
            address=port.get("IP") or "0.0.0.0",
            port=port["PublicPort"],
            protocol=port["Type"],
            container=item["Names"][0].removeprefix("/"),
            labels=item["Labels"],
        )
        for item in client.api.containers()
        for port in item["Ports"]
        if "PublicPort" in port
    ]


def bind_error(address: str, port: int, protocol: str = "tcp") -> int | None:
    """The `errno` with which this machine refuses to listen there; None if it would."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    try:
        with socket.socket(family, kind) as listener:
            if kind is socket.SOCK_STREAM:
                # As servers do: connections that have just ended do not hold the port.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, port))
    except OSError as error:
        return error.errno
    return None


class HostPort(EngineResource, module="devportal", name="HostPort"):
    """A port on `address` that was free when the resource was made."""

    port: pulumi.Output[int]

    def __init__(
        self,
        name: str,
        *,
        address: str,
        engine: EngineAddress,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Props = {"name": name, "address": address, "port": None}
        super().__init__(_HostPortProvider(), name, engine, props, opts)
