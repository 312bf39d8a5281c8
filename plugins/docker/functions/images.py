"""`docker.get_remote_image` and `docker.get_registry_image`."""

from collections.abc import Mapping
from typing import Any

from docker.errors import APIError, ImageNotFound

from plugins.docker.functions.lookup import Lookup, LookupFailed
from plugins.docker.image_names import pick_repo_digest


def get_remote_image(lookup: Lookup, args: Mapping[str, Any]) -> dict[str, Any]:
    """Look up an image that the engine already has; nothing is pulled.

    Raises
    ------
    LookupFailed
        Raised when the engine does not have it.
    """
    name = args["name"]
    try:
        image = lookup.client.api.inspect_image(name)
    except ImageNotFound as error:
        raise LookupFailed(
            f"image '{name}': should be present locally (got: not found). "
            "Pull or build it, or declare it as docker.RemoteImage."
        ) from error
    digests = image.get("RepoDigests") or []
    return {"id": image["Id"], "name": name, "repoDigest": pick_repo_digest(name, digests)}


def get_registry_image(lookup: Lookup, args: Mapping[str, Any]) -> dict[str, Any]:
    """Ask the registry for an image's digest, by way of the engine and its trusted registries.

    Raises
    ------
    LookupFailed
        Raised when the registry does not answer or does not have it.
    """
    name = args["name"]
    credentials = lookup.credentials.for_image(name)
    try:
        found = lookup.client.api.inspect_distribution(
            name, auth_config=credentials.as_header() if credentials else {}
        )
    except APIError as error:
        raise LookupFailed(
            f"image '{name}': should be present in its registry (got: {error.explanation}). "
            "Correct the name, or set docker:registryAuth."
        ) from error
    digest = found["Descriptor"]["digest"]
    return {"id": digest, "name": name, "sha256Digest": digest, "insecureSkipVerify": False}
