"""Connects to the engine that the settings and the environment point at."""

import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import docker
import requests
from docker.errors import DockerException

from plugins.docker.connection_settings import ConnectionSettings
from plugins.docker.engine_address import AddressError, EngineAddress, candidate_addresses
from plugins.docker.ssh_tunnel import SshTunnel
from plugins.docker.tls_material import SslContextConfig, TlsMaterial

# Used when the engine is not asked which API it speaks: the oldest the plugin is tested with.
_UNCHECKED_API_VERSION = "1.41"


class EngineUnreachableError(Exception):
    """No engine answers; the message names the address, the reason and what to do."""


def connect(
    settings: ConnectionSettings,
    environ: Mapping[str, str] = os.environ,
    home: Path | None = None,
) -> docker.DockerClient:
    """Client of the first engine that answers.

    Raises
    ------
    EngineUnreachableError
        Raised when none does, or when the address or the TLS material cannot be used.
    """
    try:
        addresses = candidate_addresses(
            settings.host, settings.context, environ, home or Path.home()
        )
    except AddressError as error:
        raise EngineUnreachableError(str(error)) from error
    first_failure: EngineUnreachableError | None = None
    for address in addresses:
        try:
            return _open(address, settings)
        except EngineUnreachableError as error:
            # The first address is the one the user expects; the others are only tried.
            first_failure = first_failure or error
    raise first_failure or AssertionError("there is always an address to try")


def _open(address: EngineAddress, settings: ConnectionSettings) -> docker.DockerClient:
    if address.scheme == "ssh":
        return _open_ssh(address, settings)
    if address.scheme in ("unix", "http"):
        return _client(address.url, address, settings, lambda: "")
    tls = _tls(address, settings)
    secured = tls is not None or address.scheme == "https"
    rest = address.url.partition("://")[2]
    url = f"{'https' if secured else 'http'}://{rest}"
    return _client(url, address, settings, lambda: "", tls)


def _open_ssh(address: EngineAddress, settings: ConnectionSettings) -> docker.DockerClient:
    tunnel = SshTunnel(address.url, settings.ssh_options)
    try:
        return _client(tunnel.url, address, settings, tunnel.last_error)
    except EngineUnreachableError:
        tunnel.close()
        raise


def _client(
    url: str,
    address: EngineAddress,
    settings: ConnectionSettings,
    last_error: Callable[[], str],
    tls: SslContextConfig | None = None,
) -> docker.DockerClient:
    version = _UNCHECKED_API_VERSION if settings.skips_check else "auto"
    try:
        return docker.DockerClient(base_url=url, version=version, tls=tls or False)
    except (DockerException, requests.RequestException, ValueError) as error:
        raise _unreachable(address, last_error() or reason_of(error)) from error


def _tls(address: EngineAddress, settings: ConnectionSettings) -> SslContextConfig | None:
    try:
        material = _tls_material(address, settings)
        return SslContextConfig(material.ssl_context()) if material else None
    except (OSError, ssl.SSLError) as error:
        raise EngineUnreachableError(
            f"docker engine at {address.url}: its TLS material should be readable PEM "
            f"(got: {reason_of(error)}). Correct docker:certPath or the material settings."
        ) from error


def _tls_material(address: EngineAddress, settings: ConnectionSettings) -> TlsMaterial | None:
    ca, cert, key = settings.ca_material, settings.cert_material, settings.key_material
    if ca and cert and key:
        return TlsMaterial(ca, cert, key)
    folder = Path(settings.cert_path) if settings.cert_path else address.tls_folder
    return TlsMaterial.from_folder(folder) if folder else None


def _unreachable(address: EngineAddress, reason: str) -> EngineUnreachableError:
    return EngineUnreachableError(
        f"docker engine at {address.url}: should answer (got: {reason}). "
        "Start it, or set DOCKER_HOST or docker:host."
    )


def reason_of(error: BaseException) -> str:
    """The operating system's reason behind an error, else the innermost message."""
    chain = list(_causes(error))
    for cause in chain:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
    return str(chain[-1]) or type(chain[-1]).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    pending = [error]
    while pending:
        cause = pending.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        links = (cause.__cause__, cause.__context__, *cause.args, getattr(cause, "reason", None))
        pending += [link for link in links if isinstance(link, BaseException)]
