"""A client of the Docker engine, and what the program has to know of that engine."""

import functools
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import requests
from docker.constants import DEFAULT_TIMEOUT_SECONDS
from docker.errors import DockerException
from docker.tls import TLSConfig

from infra.engine.address import CERTIFICATE_FILES, EngineAddress, EngineAddressError

_START_INTERVAL_API = (1, 44)
_ELECTION_REFUSALS = (
    "node lost leader status",
    "no elected cluster leader",
    "swarm does not have a leader",
    "context deadline exceeded",
    "code = Unavailable",
)
"""Of swarmkit's `manager/state/raft` and `manager/raftselector`, of Docker's `daemon/cluster`, and
of gRPC between a manager and a leader that has gone."""
_ELECTION_SECONDS = 120
_POLL_SECONDS = 0.5


class _Api(docker.APIClient):
    """Trusts the engine's own authority alone: `requests` prefers REQUESTS_CA_BUNDLE to it."""

    address = ""
    """Once it has answered there."""

    def send(self, request: Any, **options: Any) -> Any:
        """What is read while a swarm's managers elect a leader is asked for until there is one."""
        deadline = time.monotonic() + _ELECTION_SECONDS
        while True:
            answer = self._send(request, **options)
            is_refused = request.method == "GET" and not answer.ok and is_by_election(answer.text)
            if not is_refused or time.monotonic() > deadline:
                return answer
            time.sleep(_POLL_SECONDS)

    def _send(self, request: Any, **options: Any) -> Any:
        """An engine that has gone meanwhile is a message, in whichever call it shows."""
        try:
            return super().send(request, **options)
        except requests.ConnectionError:
            if not self.address:
                raise
            raise EngineAddressError(
                f"Docker engine: should answer at '{self.address}' until the end (got no answer "
                "any more). Start it, and run this again."
            ) from None

    def merge_environment_settings(
        self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> Any:
        chosen = self.verify if verify is None else verify
        return super().merge_environment_settings(url, proxies, stream, chosen, cert)


class _Client(docker.DockerClient):
    def __init__(self, **options: Any) -> None:
        self.api = _Api(**options)
        self.api.address = options["base_url"]


@functools.cache
def connect(
    address: EngineAddress, silence_seconds: int = DEFAULT_TIMEOUT_SECONDS
) -> docker.DockerClient:
    """A client of the engine, one for each address in this process.

    Parameters
    ----------
    silence_seconds
        How long the engine may say nothing before a request fails.

    Raises
    ------
    EngineAddressError
        Raised when no engine answers there.
    """
    try:
        return _Client(
            base_url=address.host,
            timeout=silence_seconds,
            tls=_tls(address.cert_path) if address.cert_path else False,
            # Else the SDK would use Paramiko, which reads no ~/.ssh/config.
            use_ssh_client=address.host.startswith("ssh://"),
        )
    except DockerException as error:
        raise EngineAddressError(
            f"Docker engine: should answer at '{address.host}' (got: {error}). Start it, or set "
            "docker:host or docker:context."
        ) from None


@dataclass(frozen=True)
class EngineVersion:
    """What the program has to know of an engine.

    Parameters
    ----------
    platform
        What it builds images for, such as `linux/amd64`.
    has_start_interval
        Whether its health checks have a start interval (Docker Engine 25).
    """

    platform: str
    has_start_interval: bool


def ask_version(address: EngineAddress) -> EngineVersion:
    """Ask the engine for its version.

    Raises
    ------
    EngineAddressError
        Raised when no engine answers there.
    """
    answer = connect(address).version()
    version = tuple(int(part) for part in answer["ApiVersion"].split("."))
    return EngineVersion(f"{answer['Os']}/{answer['Arch']}", version >= _START_INTERVAL_API)


def is_by_election(error: str) -> bool:
    """Whether a swarm says so while its managers elect a leader, which takes some seconds.

    One may begin at any moment: a manager has gone, or the leader has heard nothing from a majority
    for 10 s.
    """
    return any(refusal in error for refusal in _ELECTION_REFUSALS)


def _tls(folder: str) -> TLSConfig:
    authority, certificate, key = (str(Path(folder) / name) for name in CERTIFICATE_FILES)
    return TLSConfig(client_cert=(certificate, key), ca_cert=authority, verify=True)
