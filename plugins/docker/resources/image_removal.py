"""Removes an image from the engine."""

from typing import Any

from docker.errors import APIError, ImageNotFound

from plugins.docker.errors import ResourceError

_CONFLICT = 409


def remove_image(client: Any, name: str, *, force: bool) -> None:
    """Remove an image by its name; a missing one is no error.

    Raises
    ------
    ResourceError
        Raised when a container uses it.
    """
    try:
        client.api.remove_image(name, force=force)
    except ImageNotFound:
        return
    except APIError as error:
        if error.status_code != _CONFLICT:
            raise
        raise ResourceError(
            f"image '{name}': should not be in use when it is removed (got: {error.explanation}). "
            "Remove the containers that use it, or set keepLocally."
        ) from error
