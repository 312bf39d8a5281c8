"""Which engine to talk to: settings, environment, docker context, then well-known places."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEFAULT_SOCKET = "unix:///var/run/docker.sock"
SCHEMES = ("unix", "tcp", "ssh", "http", "https")
# Where Docker Desktop listens when it was installed without administrator rights.
_USER_SOCKETS = ("run/docker.sock", "desktop/docker.sock")


class AddressError(Exception):
    """No engine address can be derived from the settings; the message says what to change."""


@dataclass(frozen=True)
class EngineAddress:
    """One place where an engine may answer.

    Parameters
    ----------
    url
        `unix:///path`, `tcp://host:port`, `http(s)://host:port` or `ssh://user@host:port`.
    tls_folder
        Folder with `ca.pem`, `cert.pem` and `key.pem` that came with the address, if any.
    """

    url: str
    tls_folder: Path | None = None

    @property
    def scheme(self) -> str:
        """Part before `://`."""
        return self.url.partition("://")[0]


def candidate_addresses(
    host: str | None, context: str | None, environ: Mapping[str, str], home: Path
) -> list[EngineAddress]:
    """Addresses to try, best first.

    A context named in the settings wins over a host, as in the official provider; only where
    nobody chose an address is there more than one.

    Raises
    ------
    AddressError
        Raised for an unknown context or a scheme that is not supported.
    """
    config_folder = Path(environ.get("DOCKER_CONFIG") or home / ".docker")
    chosen = _chosen_address(host, context, environ, config_folder)
    if chosen is not None:
        return [_supported(chosen)]
    user_sockets = [f"unix://{home / '.docker' / path}" for path in _USER_SOCKETS]
    return [EngineAddress(url) for url in (DEFAULT_SOCKET, *user_sockets)]


def _chosen_address(
    host: str | None, context: str | None, environ: Mapping[str, str], config_folder: Path
) -> EngineAddress | None:
    named = context or ("" if host else _context_for_environment(environ, config_folder))
    if named and named != "default":
        return _context_address(named, config_folder)
    address = host or environ.get("DOCKER_HOST")
    return EngineAddress(address) if address else None


def _context_for_environment(environ: Mapping[str, str], config_folder: Path) -> str:
    if environ.get("DOCKER_HOST"):
        return ""
    return environ.get("DOCKER_CONTEXT") or _current_context(config_folder)


def _current_context(config_folder: Path) -> str:
    try:
        config = json.loads((config_folder / "config.json").read_text())
    except (OSError, ValueError):
        return ""
    current = config.get("currentContext") if isinstance(config, dict) else None
    return current if isinstance(current, str) else ""


def _context_address(name: str, config_folder: Path) -> EngineAddress:
    # The docker CLI files each context under the hash of its name.
    folder = hashlib.sha256(name.encode()).hexdigest()
    store = config_folder / "contexts"
    try:
        meta = json.loads((store / "meta" / folder / "meta.json").read_text())
        url = _docker_endpoint(meta)["Host"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        known = ", ".join(["default", *sorted(_context_names(store))])
        raise AddressError(
            f"docker context '{name}': should be one of {known}. "
            "Set docker:context or DOCKER_CONTEXT to one of them, or run 'docker context create'."
        ) from error
    tls_folder = store / "tls" / folder / "docker"
    return EngineAddress(url, tls_folder if tls_folder.is_dir() else None)


def _docker_endpoint(meta: dict[str, Any]) -> dict[str, str]:
    return meta["Endpoints"]["docker"]


def _context_names(store: Path) -> Iterator[str]:
    for path in store.glob("meta/*/meta.json"):
        try:
            yield str(json.loads(path.read_text())["Name"])
        except (OSError, ValueError, KeyError, TypeError):
            continue


def _supported(address: EngineAddress) -> EngineAddress:
    if "://" in address.url and address.scheme in SCHEMES:
        return address
    raise AddressError(
        "docker:host: should start with unix://, tcp:// or ssh:// "
        f"(got '{address.url}'). Set docker:host or DOCKER_HOST."
    )
