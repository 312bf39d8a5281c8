"""The one call to a registry that no engine makes for us: removing an image from it."""

import re
from collections.abc import Iterator
from typing import Any

import requests

from plugins.docker.image_names import DOCKER_HUB, registry_of, split_tag
from plugins.docker.registry_auth import Credentials

_TIMEOUT_SECONDS = 30.0
_DOCKER_HUB_API = "registry-1.docker.io"
_MANIFEST_TYPES = ", ".join(
    (
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
    )
)
_CHALLENGE_PART = re.compile(r'(\w+)="([^"]*)"')


class RegistryError(Exception):
    """The registry refused or did not answer; the message is its reason."""


def delete_from_registry(image_name: str, digest: str, credentials: Credentials | None) -> None:
    """Remove a manifest by its digest, else by its tag; a missing one is no error.

    Raises
    ------
    RegistryError
        Raised when the registry does not answer, or does not allow it.
    """
    repository, tag = split_tag(image_name)
    reasons = []
    for reference in (digest, tag):
        response = _request("DELETE", image_name, f"{repository}:{reference}", credentials)
        if response.ok or response.status_code == requests.codes.not_found:
            return
        reasons.append(f"HTTP {response.status_code} {response.reason}")
    raise RegistryError(reasons[0])


def _request(
    method: str, image_name: str, reference: str, credentials: Credentials | None
) -> requests.Response:
    registry = registry_of(image_name)
    host = _DOCKER_HUB_API if registry == DOCKER_HUB else registry
    last_error: Exception | None = None
    for scheme in _schemes(host):
        url = f"{scheme}://{host}/v2/{_path(reference, registry)}"
        try:
            return _authorised(method, url, credentials)
        except requests.RequestException as error:
            last_error = last_error or error
    raise RegistryError(str(last_error))


def _schemes(host: str) -> Iterator[str]:
    yield "https"
    # As the engine: only a registry on this machine may do without TLS.
    if host.split(":")[0] in ("localhost", "127.0.0.1"):
        yield "http"


def _path(reference: str, registry: str) -> str:
    repository, _, tag = reference.removeprefix(f"{registry}/").partition(":")
    if registry == DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    return f"{repository}/manifests/{tag}"


def _authorised(method: str, url: str, credentials: Credentials | None) -> requests.Response:
    headers = {"Accept": _MANIFEST_TYPES}
    response = requests.request(method, url, headers=headers, timeout=_TIMEOUT_SECONDS)
    challenge = response.headers.get("WWW-Authenticate", "")
    if response.status_code != requests.codes.unauthorized or not credentials:
        return response
    auth: Any = (credentials.username, credentials.password)
    if challenge.lower().startswith("bearer"):
        headers["Authorization"] = f"Bearer {_token(challenge, auth)}"
        auth = None
    return requests.request(method, url, headers=headers, auth=auth, timeout=_TIMEOUT_SECONDS)


def _token(challenge: str, auth: tuple[str, str]) -> str:
    parts = dict(_CHALLENGE_PART.findall(challenge))
    query = {key: parts[key] for key in ("service", "scope") if key in parts}
    response = requests.get(parts["realm"], params=query, auth=auth, timeout=_TIMEOUT_SECONDS)
    response.raise_for_status()
    answer = response.json()
    return answer.get("token") or answer.get("access_token") or ""
