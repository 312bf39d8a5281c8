"""Makes a container and starts it, or leaves nothing behind."""

import contextlib

from plugins.docker.context import Context
from plugins.docker.engine import EngineError, EngineSilentError
from plugins.docker.errors import ResourceError
from plugins.docker.resources.container import uploads
from plugins.docker.resources.container.config import START_INTERVAL_API, container_config
from plugins.docker.resources.container.endpoints import (
    Endpoint,
    find_endpoints,
    first_endpoint,
    with_endpoint,
)
from plugins.docker.resources.container.failures import explain
from plugins.docker.resources.container.image import ensure_image, has_healthcheck
from plugins.docker.values import Values

SUBPATH_API = (1, 45)
"""First API version that mounts a folder of a volume."""


def create_container(context: Context, inputs: Values) -> str:
    """Create and, if asked, start a container; its id.

    Raises
    ------
    ResourceError
        Raised when it could not be; then it does not exist.
    """
    _refuse_the_impossible(context, inputs)
    image = ensure_image(context, inputs)
    if inputs.get("wait") and not has_healthcheck(image, inputs):
        raise ResourceError(
            f"container '{inputs['name']}': wait needs a health check (got none, neither here nor "
            "in the image). Add healthcheck, or remove wait."
        )
    endpoints = find_endpoints(context, inputs)
    first = first_endpoint(endpoints, inputs.get("networkMode") or "bridge")
    context.cancellation.raise_if_cancelled()
    container_id = _create(context, inputs, first)
    try:
        others = [endpoint for endpoint in endpoints if endpoint is not first]
        _prepare_and_start(context, container_id, inputs, others)
    except BaseException:
        _forget(context, container_id)
        raise
    return container_id


def _create(context: Context, inputs: Values, first: Endpoint | None) -> str:
    config = container_config(inputs, context.engine.api_version)
    if first is not None:
        config = with_endpoint(config, first, context.engine.api_version)
    try:
        platform = inputs.get("platform") or ""
        return context.engine.create_container(inputs["name"], platform, config)
    except EngineError as error:
        raise explain(error, "created", inputs, context.engine) from error


def _prepare_and_start(
    context: Context, container_id: str, inputs: Values, others: list[Endpoint]
) -> None:
    step = "prepared"
    try:
        for endpoint in others:
            step = f"connected to network '{endpoint.network_name}'"
            context.engine.connect_network(endpoint.network_id, container_id, endpoint.settings)
        if inputs.get("uploads"):
            step = "given its uploads"
            context.engine.upload(container_id, uploads.pack(inputs["uploads"], inputs["name"]))
        if inputs.get("start", True):
            step = "started"
            context.engine.start_container(container_id)
    except EngineError as error:
        raise explain(error, step, inputs, context.engine) from error


def _forget(context: Context, container_id: str) -> None:
    """Remove what never ran; its failure is the one to tell, not that of the removal."""
    with contextlib.suppress(EngineError, EngineSilentError):
        context.engine.remove_container(container_id, with_volumes=True)


def _refuse_the_impossible(context: Context, inputs: Values) -> None:
    """What this engine is too old for: refused where it would be lost, else left out aloud."""
    where = f"container '{inputs['name']}':"
    version = context.engine.api_version
    spoken = ".".join(map(str, version))
    mounts = inputs.get("mounts") or ()
    if version < SUBPATH_API and any(
        (mount.get("volumeOptions") or {}).get("subpath") for mount in mounts
    ):
        raise ResourceError(
            f"{where} volumeOptions.subpath needs engine API 1.45 (got {spoken}). "
            "Mount the whole volume, or use Docker 26 or newer."
        )
    interval = (inputs.get("healthcheck") or {}).get("startInterval") or "0s"
    if version < START_INTERVAL_API and interval != "0s":
        context.show_warning(
            f"{where} healthcheck.startInterval is left out; "
            f"the engine's API has it from version 1.44 on (got {spoken})"
        )
