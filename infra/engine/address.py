"""Which Docker engine is meant: resolved once, the same for every part of the program.

The docker provider, our own resources and the commands of `operations/` all connect to what
`resolve_engine` returns (`infra/engine/client.py`). When each followed its own rules, a stack's
containers were made on a remote engine and its secrets in new volumes of the local one.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from infra.errors import ProviderError, UserError

_LOCAL = "unix:///var/run/docker.sock"
_SCHEMES = ("unix://", "tcp://", "http://", "https://", "ssh://", "npipe://")
CERTIFICATE_FILES = ("ca.pem", "cert.pem", "key.pem")
# Settings of the provider that our own resources cannot follow: each has a place they share.
_REFUSED = {
    **dict.fromkeys(
        ("docker:caMaterial", "docker:certMaterial", "docker:keyMaterial"),
        "files (got text). Put ca.pem, cert.pem and key.pem into a folder and set docker:certPath "
        "to it.",
    ),
    "docker:sshOpts": "in ~/.ssh/config (got options). Write them there, for this host.",
}


class EngineAddressError(UserError, ProviderError):
    """The engine's address cannot be used; the text is `where: rule (got value). What to do.`"""


@dataclass(frozen=True)
class EngineAddress:
    """Where the engine listens.

    Parameters
    ----------
    host
        `unix://`, `tcp://`, `http://` or `ssh://` address.
    cert_path
        Folder with `ca.pem`, `cert.pem` and `key.pem`; None for a connection without TLS.
    """

    host: str
    cert_path: str | None = None

    def properties(self) -> dict[str, str]:
        """The address as our own resources keep it in the state: no secret, paths alone."""
        return {"host": self.host, "cert_path": self.cert_path or ""}

    @classmethod
    def from_properties(cls, properties: Mapping[str, Any]) -> Self:
        """The address that `properties` returned."""
        return cls(properties["host"], properties["cert_path"] or None)


def resolve_engine(config: Mapping[str, str], environ: Mapping[str, str]) -> EngineAddress:
    """Find the engine as the Docker CLI does, the stack's own settings first.

    `docker:context` or `docker:host`, else DOCKER_HOST, else DOCKER_CONTEXT, else the CLI's
    current context, else the local socket.

    Parameters
    ----------
    config
        The stack's configuration by full key, such as `docker:host`.

    Raises
    ------
    EngineAddressError
        Raised when a context is unknown, certificates are missing or settings contradict.
    """
    _refuse(config)
    if name := config.get("docker:context"):
        return _of_context(name, "docker:context", environ)
    host = config.get("docker:host")
    if host or environ.get("DOCKER_HOST"):
        return _of_host(host or environ["DOCKER_HOST"], config, environ)
    if name := environ.get("DOCKER_CONTEXT"):
        return _of_context(name, "DOCKER_CONTEXT", environ)
    if name := _current_context(environ):
        return _of_context(name, "current Docker context", environ)
    return EngineAddress(_LOCAL)


def _refuse(config: Mapping[str, str]) -> None:
    for key, rule in _REFUSED.items():
        if config.get(key):
            raise EngineAddressError(f"{key}: should be {rule}")
    if config.get("docker:context") and config.get("docker:host"):
        raise EngineAddressError(
            f"docker:host: should be left out beside docker:context (got "
            f"'{config['docker:host']}'). Remove one of them."
        )


def _of_host(host: str, config: Mapping[str, str], environ: Mapping[str, str]) -> EngineAddress:
    if not host.startswith(_SCHEMES):
        raise EngineAddressError(
            f"{'docker:host' if config.get('docker:host') else 'DOCKER_HOST'}: should be an "
            f"address such as {_LOCAL}, tcp://engine.example:2376 or ssh://user@engine.example "
            f"(got '{host}'). Correct it."
        )
    folder = config.get("docker:certPath") or environ.get("DOCKER_CERT_PATH")
    if not folder and environ.get("DOCKER_TLS_VERIFY"):
        folder = str(_docker_folder(environ))
    if not folder or not host.startswith(("tcp://", "https://")):
        return EngineAddress(host)
    where = "docker:certPath" if config.get("docker:certPath") else "DOCKER_CERT_PATH"
    return EngineAddress(host, _check_certificates(Path(folder), where))


def _of_context(name: str, where: str, environ: Mapping[str, str]) -> EngineAddress:
    if name == "default":
        return EngineAddress(_LOCAL)
    contexts = _docker_folder(environ) / "contexts"
    # The CLI's own scheme: `docker context inspect` shows these folders.
    digest = hashlib.sha256(name.encode()).hexdigest()
    try:
        described = json.loads((contexts / "meta" / digest / "meta.json").read_text())
        host = described["Endpoints"]["docker"]["Host"]
    except (OSError, ValueError, KeyError, TypeError):
        raise EngineAddressError(
            f"{where}: should be a Docker context (got '{name}'). Choose one of "
            "`docker context ls`."
        ) from None
    certificates = contexts / "tls" / digest / "docker"
    if not certificates.is_dir():
        return EngineAddress(host)
    return EngineAddress(host, _check_certificates(certificates, where))


def _current_context(environ: Mapping[str, str]) -> str | None:
    try:
        return json.loads((_docker_folder(environ) / "config.json").read_text())["currentContext"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _docker_folder(environ: Mapping[str, str]) -> Path:
    if configured := environ.get("DOCKER_CONFIG"):
        return Path(configured)
    return Path(environ.get("HOME") or Path.home()) / ".docker"


def _check_certificates(folder: Path, where: str) -> str:
    # `Path.is_file` raises for a folder that this user may not look into.
    missing = [name for name in CERTIFICATE_FILES if not os.path.isfile(folder / name)]
    if missing:
        raise EngineAddressError(
            f"{where}: should have ca.pem, cert.pem and key.pem in '{folder}' (got no "
            f"{', '.join(missing)}). Put them there, for this user to read."
        )
    return str(folder.resolve())
