"""The provider's own settings: their shape, and their values once checked."""

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_TEXT = ("host", "context", "certPath", "caMaterial", "certMaterial", "keyMaterial")
_MATERIAL = ("caMaterial", "certMaterial", "keyMaterial")
# Set by Pulumi itself beside the settings of the user.
_PULUMI = ("version", "pluginDownloadURL", "pluginChecksums")
_KEYS = (*_TEXT, "sshOpts", "registryAuth", "disableDockerDaemonCheck")
_REGISTRY_KEYS = {
    "address": str,
    "username": str,
    "password": str,
    "configFile": str,
    "configFileContent": str,
    "authDisabled": bool,
}
_ENVIRONMENT = {
    "certPath": "DOCKER_CERT_PATH",
    "caMaterial": "DOCKER_CA_MATERIAL",
    "certMaterial": "DOCKER_CERT_MATERIAL",
    "keyMaterial": "DOCKER_KEY_MATERIAL",
}
_TYPE_NAMES = {str: "a string", bool: "true or false", list: "a list", dict: "an object"}

Failure = tuple[str, str]
"""Path of a setting, and what is wrong with it; values are never part of it."""


@dataclass(frozen=True, kw_only=True)
class ConnectionSettings:
    """Values of `docker:*` after the check; secrets are left out of its printed form."""

    host: str | None = None
    context: str | None = None
    cert_path: str | None = None
    ca_material: str | None = None
    cert_material: str | None = None
    key_material: str | None = field(default=None, repr=False)
    ssh_options: tuple[str, ...] = ()
    registry_auth: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    skips_check: bool = False

    @staticmethod
    def load(settings: Mapping[str, Any], environ: Mapping[str, str]) -> "ConnectionSettings":
        """Take checked settings, and from the environment what they leave open."""
        given: dict[str, Any] = {
            name: environ.get(variable) for name, variable in _ENVIRONMENT.items()
        }
        given |= {key: value for key, value in _decoded(settings).items() if value is not None}
        ssh_options = given.get("sshOpts") or environ.get("DOCKER_SSH_OPTS", "").split()
        return ConnectionSettings(
            host=given.get("host") or None,
            context=given.get("context") or None,
            cert_path=given.get("certPath") or None,
            ca_material=given.get("caMaterial") or None,
            cert_material=given.get("certMaterial") or None,
            key_material=given.get("keyMaterial") or None,
            ssh_options=tuple(ssh_options),
            registry_auth=tuple(given.get("registryAuth") or ()),
            skips_check=bool(given.get("disableDockerDaemonCheck")),
        )


def check_settings(settings: Mapping[str, Any]) -> list[Failure]:
    """Every mistake in the provider's settings, without touching an engine.

    Parameters
    ----------
    settings
        Plain values; a list, object or boolean may come as JSON text, as Pulumi passes it.
        Leave out settings whose value is not known yet.
    """
    decoded = _decoded(settings)
    failures = list(_unknown_keys(decoded, (*_KEYS, *_PULUMI), prefix=""))
    failures += _type_failures(decoded, dict.fromkeys(_TEXT, str), prefix="")
    failures += _type_failures(
        decoded, {"sshOpts": list, "registryAuth": list, "disableDockerDaemonCheck": bool}, ""
    )
    failures += _ssh_failures(decoded.get("sshOpts"))
    failures += _registry_failures(decoded.get("registryAuth"))
    failures += _material_failures(decoded)
    return failures


def _decoded(settings: Mapping[str, Any]) -> dict[str, Any]:
    nested = ("sshOpts", "registryAuth", "disableDockerDaemonCheck")
    return {
        key: _from_json(value) if key in nested and isinstance(value, str) else value
        for key, value in settings.items()
    }


def _from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _unknown_keys(
    values: Mapping[str, Any], known: tuple[str, ...], prefix: str
) -> Iterator[Failure]:
    for key in values:
        if key not in known and not key.startswith("__"):
            near = difflib.get_close_matches(key, known, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            yield f"{prefix}{key}", f"is not a setting of the docker provider.{hint}"


def _type_failures(
    values: Mapping[str, Any], types: Mapping[str, type], prefix: str
) -> Iterator[Failure]:
    for key, expected in types.items():
        value = values.get(key)
        if value is not None and not isinstance(value, expected):
            yield f"{prefix}{key}", f"should be {_TYPE_NAMES[expected]}"


def _ssh_failures(options: Any) -> Iterator[Failure]:
    for index, option in enumerate(options if isinstance(options, list) else ()):
        if not isinstance(option, str):
            yield f"sshOpts[{index}]", "should be a string"


def _registry_failures(entries: Any) -> Iterator[Failure]:
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        path = f"registryAuth[{index}]"
        if not isinstance(entry, dict):
            yield path, "should be an object"
            continue
        yield from _unknown_keys(entry, tuple(_REGISTRY_KEYS), f"{path}.")
        yield from _type_failures(entry, _REGISTRY_KEYS, f"{path}.")
        if not entry.get("address"):
            yield f"{path}.address", "should be given"


def _material_failures(settings: Mapping[str, Any]) -> Iterator[Failure]:
    given = [key for key in _MATERIAL if settings.get(key)]
    if given and len(given) < len(_MATERIAL):
        missing = next(key for key in _MATERIAL if key not in given)
        yield missing, f"should be given together with {' and '.join(given)}"
    if given and settings.get("certPath"):
        yield "certPath", f"should not be given together with {given[0]}"
