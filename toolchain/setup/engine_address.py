"""Where the Docker engine is, decided as the docker provider decides it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from toolchain.setup.errors import SetupError
from plugins.docker.engine_address import DEFAULT_SOCKET, AddressError, candidate_addresses


@dataclass(frozen=True)
class EngineAddress:
    """An engine to talk to.

    Parameters
    ----------
    host
        `unix://`, `tcp://` or `ssh://` address.
    origin
        What named it: `DOCKER_HOST`, `docker context`, or empty for the default.
    tls
        Folder with ca.pem, cert.pem and key.pem, if the engine is spoken to over TLS.
    """

    host: str
    origin: str = ""
    tls: Path | None = None


def find_engine(environ: Mapping[str, str]) -> EngineAddress:
    """DOCKER_HOST, else the current docker context, else the default socket.

    Raises
    ------
    SetupError
        Raised when the current context does not exist.
    """
    home = Path(environ.get("HOME") or Path.home())
    try:
        address = candidate_addresses(None, None, environ, home)[0]
    except AddressError as error:
        raise SetupError(str(error)) from None
    if environ.get("DOCKER_HOST"):
        return EngineAddress(address.url, "DOCKER_HOST", _environment_tls(environ, home))
    origin = "" if address.url == DEFAULT_SOCKET else "docker context"
    return EngineAddress(address.url, origin, address.tls_folder)


def _environment_tls(environ: Mapping[str, str], home: Path) -> Path | None:
    if not environ.get("DOCKER_TLS_VERIFY"):
        return None
    return Path(environ.get("DOCKER_CERT_PATH") or environ.get("DOCKER_CONFIG") or home / ".docker")
