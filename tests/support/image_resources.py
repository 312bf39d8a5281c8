"""Shortcuts around the docker provider's handlers, for tests on a fake engine."""

from typing import Any

import docker

from plugins.docker.connection_settings import ConnectionSettings
from plugins.docker.context import Context
from plugins.docker.resource import CheckRequest, CreateRequest, DiffRequest, Resource
from tests.support.image_engine import ImageEngine

IMAGE_ID = f"sha256:{'a' * 64}"
DIGEST = f"sha256:{'d' * 64}"
BUILT = ({"id": "moby.image.id", "aux": {"ID": IMAGE_ID}},)


def context_of(engine: ImageEngine) -> Context:
    """A context on the engine, with credentials for `reg.io`."""
    entry = {"address": "reg.io", "username": "me", "password": "pw"}
    return Context(
        urn="urn",
        engine=None,  # type: ignore[arg-type]
        client=docker.DockerClient(base_url=engine.url, version="1.41"),
        settings=ConnectionSettings(registry_auth=(entry,)),
    )


def failures_of(
    resource: Resource, inputs: dict[str, Any], secret_paths: frozenset[str] = frozenset()
) -> list[tuple[str, str]]:
    """Paths and reasons of a check."""
    request = CheckRequest(name="x", old_inputs=None, inputs=inputs, secret_paths=secret_paths)
    return [(failure.path, failure.reason) for failure in resource.check(request).failures]


def made(resource: Resource, context: Context, **inputs: Any) -> dict[str, Any]:
    """Outputs of a create, the id among them."""
    result = resource.create(context, CreateRequest(inputs=inputs))
    return {"id": result.id, **result.outputs}


def replacing(resource: Resource, old: dict[str, Any], new: dict[str, Any]) -> dict[str, bool]:
    """Every changed property, and whether it replaces."""
    request = DiffRequest(id="x", state=old, old_inputs=old, inputs=new)
    changes = resource.diff(request).changes
    return {name: change.replaces for name, change in changes.items()}
