"""A free port of the engine's host: chosen once, then kept in the state.

The engine would choose another at every restart of the container.
"""

import errno
import random
import socket
import threading

import docker
import pulumi

from infra.engine.address import EngineAddress
from infra.engine.resource import EngineProvider, EngineResource, Props, engine_of
from infra.errors import ProviderError

# Below the range from which Linux takes ports for outgoing connections: such a connection would
# hold the port when the container starts again.
_CANDIDATES = range(20000, 32768)
_ATTEMPTS = 100
_chosen: set[int] = set()
_choosing = threading.Lock()


class HostPortError(ProviderError):
    """No free port was found."""


class _HostPortProvider(EngineProvider):
    identity = ("address",)

    def id_of(self, props: Props) -> str:
        return props["name"]

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
    taken = _chosen | _published_ports(client)
    for _ in range(_ATTEMPTS):
        port = random.choice(_CANDIDATES)
        if port not in taken and _can_bind(address, port):
            return port
    raise HostPortError(
        f"ports: should have a free one on {address} from {_CANDIDATES[0]} to {_CANDIDATES[-1]} "
        f"(got none in {_ATTEMPTS} attempts). Set the port to one that is free."
    )


def _published_ports(client: docker.DockerClient) -> set[int]:
    published = (port for item in client.api.containers(all=True) for port in item["Ports"])
    return {port["PublicPort"] for port in published if "PublicPort" in port}


def _can_bind(address: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        try:
            listener.bind((address, port))
        except OSError as error:
            # An address of another machine: its engine reports a port that is taken.
            return error.errno == errno.EADDRNOTAVAIL
    return True


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
