"""The image of a container: found on the engine, or pulled."""

import os

from plugins.docker.context import Context
from plugins.docker.engine import Json
from plugins.docker.errors import ResourceError
from plugins.docker.values import Values


def ensure_image(context: Context, inputs: Values) -> Json:
    """The image, pulled if the engine does not have it.

    Raises
    ------
    ResourceError
        Raised when it is neither on the engine nor in its registry.
    """
    name = inputs["image"]
    image = context.engine.inspect_image(name)
    if image is None and not name.startswith("sha256:"):
        _pull(context, inputs)
        image = context.engine.inspect_image(name)
    if image is None:
        raise _missing(inputs, "not found")
    return image


def has_healthcheck(image: Json, inputs: Values) -> bool:
    """Whether a container of the image will have a health check."""
    check = inputs.get("healthcheck") or {}
    tests = check.get("tests") or ((image.get("Config") or {}).get("Healthcheck") or {}).get("Test")
    return bool(tests) and tests != ["NONE"]


def _pull(context: Context, inputs: Values) -> None:
    # Imported late: most containers find their image, and the registry's parts cost a start.
    from plugins.docker.image_transfer import ImageTransfer, TransferError
    from plugins.docker.registry_auth import RegistryAuthError, RegistryCredentials

    name = inputs["image"]
    transfer = ImageTransfer(context.client, context.cancellation)
    try:
        credentials = RegistryCredentials(context.settings.registry_auth, os.environ)
        transfer.pull(
            name, inputs.get("platform") or "", credentials.for_image(name), context.show_status
        )
    except RegistryAuthError as error:
        raise ResourceError(str(error)) from error
    except TransferError as error:
        raise _missing(inputs, str(error)) from error


def _missing(inputs: Values, reason: str) -> ResourceError:
    return ResourceError(
        f"container '{inputs['name']}': image '{inputs['image']}' should be on the engine or in "
        f"its registry (got: {reason}). Build or pull it first, or correct its name."
    )
