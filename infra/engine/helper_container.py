"""Containers that are no part of a stack: to reach a volume, or to try what the engine takes."""

import io
import json
import os
import socket
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import docker
from docker.errors import ImageNotFound
from docker.models.containers import Container

from infra.naming import HELPER_LABEL, OWNER_LABEL, ROLE_LABEL, STACK_LABEL


@contextmanager
def helper_container(
    client: docker.DockerClient, image: str, purpose: str, **options: Any
) -> Iterator[Container]:
    """A container that is no part of the stack, not started, and removed again."""
    # Else it would have the role that its image is labelled with.
    labels = {
        HELPER_LABEL: purpose,
        OWNER_LABEL: f"{os.getpid()}@{socket.gethostname()}",
        ROLE_LABEL: "helper",
    }
    container = client.containers.create(image, labels=labels, **options)
    try:
        yield container
    finally:
        # The images of stores declare volumes; without `v` each call would leave one behind.
        container.remove(force=True, v=True)


@contextmanager
def borrowed_image(client: docker.DockerClient, wanted: str | None) -> Iterator[str]:
    """The id of an image if the engine has it, else of one without files, which goes after use."""
    present = _find_image(client, wanted)
    lent = present or _import_empty(client)
    try:
        yield lent
    finally:
        if not present:
            client.images.remove(lent, force=True)


def _import_empty(client: docker.DockerClient) -> str:
    """An image without files, for resources that may not depend on one that is built."""
    nothing = io.BytesIO()
    tarfile.open(fileobj=nothing, mode="w").close()
    answer = client.api.import_image_from_data(nothing.getvalue())
    return str(json.loads(answer.strip().splitlines()[-1])["status"])


def _find_image(client: docker.DockerClient, wanted: str | None) -> str | None:
    if not wanted:
        return None
    try:
        return str(client.images.get(wanted).id)
    except ImageNotFound:
        return None


@contextmanager
def trial_container(client: docker.DockerClient, stack: str, **options: Any) -> Iterator[Container]:
    """A container that shows what the engine refuses, and is removed again."""
    with (
        borrowed_image(client, _image_of(client, stack)) as image,
        helper_container(client, image, "trial", entrypoint=["true"], **options) as container,
    ):
        yield container


def _image_of(client: docker.DockerClient, stack: str) -> str | None:
    """Any image of the stack."""
    images = client.images.list(filters={"label": f"{STACK_LABEL}={stack}"})
    return str(images[0].id) if images else None
