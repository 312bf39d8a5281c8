"""Credentials for registries: those of the provider's settings, else docker's own files."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker.auth
from docker.errors import DockerException

from plugins.docker.errors import ResourceError
from plugins.docker.image_names import (
    DOCKER_HUB,
    DOCKER_HUB_CREDENTIALS,
    registry_host,
    registry_of,
)

# The engine insists on some credentials even where a registry checks none.
_ANY_USER = ("username", "password")


class RegistryAuthError(ResourceError):
    """An entry of `docker:registryAuth` cannot be used; the message says why, without secrets."""


@dataclass(frozen=True)
class Credentials:
    """What one registry accepts; the password never shows in messages."""

    server: str
    username: str
    password: str = field(repr=False)
    identity_token: str = field(default="", repr=False)

    def as_session_answer(self) -> tuple[str, str]:
        """Shape that BuildKit takes: an identity token goes without a user name."""
        if self.identity_token:
            return "", self.identity_token
        return self.username, self.password

    def as_header(self) -> dict[str, str]:
        """Shape that the engine's API and the Docker SDK take."""
        if self.identity_token:
            return {"identitytoken": self.identity_token, "serveraddress": self.server}
        return {
            "username": self.username,
            "password": self.password,
            "serveraddress": self.server,
        }


class RegistryCredentials:
    """Finds the credentials for an image or a registry.

    Parameters
    ----------
    entries
        `docker:registryAuth`: address, username, password, configFile, configFileContent,
        authDisabled. The first of user name, file content and file that is given counts.
    environ
        For DOCKER_CONFIG, DOCKER_REGISTRY_USER and DOCKER_REGISTRY_PASS.
    """

    def __init__(
        self, entries: Sequence[Mapping[str, Any]] = (), environ: Mapping[str, str] = os.environ
    ) -> None:
        self._environ = environ
        self._entries = {registry_host(entry["address"]): entry for entry in entries}

    def for_image(self, image_name: str) -> Credentials | None:
        """Credentials for the registry in an image's name."""
        return self.for_registry(registry_of(image_name))

    def for_registry(self, address: str) -> Credentials | None:
        """Credentials for a registry, or None where nobody gave any.

        Raises
        ------
        RegistryAuthError
            Raised when the settings name a file that does not hold them.
        """
        host = registry_host(address)
        entry = self._entries.get(host)
        if entry is None:
            return _from_config(_docker_config(self._environ), host)
        if entry.get("authDisabled"):
            return Credentials(host, *_ANY_USER)
        return self._from_entry(host, entry)

    def _from_entry(self, host: str, entry: Mapping[str, Any]) -> Credentials:
        username = entry.get("username") or self._environ.get("DOCKER_REGISTRY_USER", "")
        if username:
            password = entry.get("password") or self._environ.get("DOCKER_REGISTRY_PASS", "")
            return Credentials(host, username, password)
        if entry.get("configFileContent"):
            return _required(_parsed(entry["configFileContent"], host), host, "configFileContent")
        path = entry.get("configFile")
        config = _read_config(path, host) if path else _docker_config(self._environ)
        return _required(config, host, "configFile")


def _required(config: dict[str, Any], host: str, source: str) -> Credentials:
    credentials = _from_config(config, host)
    if credentials is None:
        raise RegistryAuthError(
            f"docker:registryAuth for {host}: {source} should hold credentials for it "
            "(got none). Run 'docker login', or set username and password."
        )
    return credentials


def _read_config(path: str, host: str) -> dict[str, Any]:
    try:
        return _parsed(Path(path).expanduser().read_text(), host)
    except OSError as error:
        raise RegistryAuthError(
            f"docker:registryAuth for {host}: configFile should be readable "
            f"(got: {(error.strerror or 'error').lower()}: {path}). Correct the path."
        ) from error


def _parsed(text: str, host: str) -> dict[str, Any]:
    try:
        return dict(json.loads(text))
    except (ValueError, TypeError) as error:
        raise RegistryAuthError(
            f"docker:registryAuth for {host}: the docker configuration should be JSON "
            "(got something else). Give the content of a docker config.json."
        ) from error


def _docker_config(environ: Mapping[str, str]) -> dict[str, Any]:
    place = Path(environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    path = place / "config.json" if place.is_dir() else place
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return {}


def _from_config(config: dict[str, Any], host: str) -> Credentials | None:
    auths = docker.auth.load_config(config_dict={"auths": {}, **config})
    key = DOCKER_HUB_CREDENTIALS if host == DOCKER_HUB else host
    try:
        found = docker.auth.resolve_authconfig(auths, registry=key)
    except DockerException:
        # A missing credential helper means no credentials, not a broken pull of a public image.
        return None
    if not found:
        return None
    token = found.get("IdentityToken") or found.get("identitytoken") or ""
    username = found.get("username") or found.get("Username") or ""
    password = found.get("password") or found.get("Password") or ""
    return Credentials(host, username, password, token) if username or token else None
