"""Containers of this machine's own shell, made by the docker provider's process in tests."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import docker

from infra.naming import STACK_LABEL
from tests.support.machine import TEST_STACK_PREFIX, remove_stack_objects
from tests.support.provider_client import CONTAINER, Object, ProviderClient, provider_process
from tests.support.shell_image import shell_archive

SLEEP = ["/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"]


@dataclass
class ProvidedStack:
    """What one test module makes on the engine through the provider.

    Attributes
    ----------
    name
        Start of the name of everything, and value of its stack label.
    made
        Objects to be removed after the test, the last one first.
    """

    name: str
    engine: docker.DockerClient
    client: ProviderClient
    made: list[Object] = field(default_factory=list)

    @property
    def labels(self) -> list[dict[str, str]]:
        return [{"label": STACK_LABEL, "value": self.name}]

    def program(self, **more: Any) -> dict[str, Any]:
        """Inputs of a container that runs until it is told to stop."""
        own = {"image": f"{self.name}:1", "labels": self.labels, "command": SLEEP}
        return {**own, "networkMode": "none", **more}

    def create(self, **more: Any) -> Object:
        """A container that is removed after the test."""
        made = self.client.create(CONTAINER, f"{self.name}-web", self.program(**more))
        self.made.append(made)
        return made

    def container_names(self) -> set[str]:
        label = f"{STACK_LABEL}={self.name}"
        found = self.engine.containers.list(all=True, filters={"label": label})
        return {container.name or "" for container in found}

    def remove_made(self) -> None:
        while self.made:
            self.client.delete(self.made.pop())


@contextlib.contextmanager
def provided_stack(engine: docker.DockerClient, suffix: str) -> Iterator[ProvidedStack]:
    """A provider's process and an image to run, both gone afterwards."""
    name = f"{TEST_STACK_PREFIX}{os.getpid()}-{suffix}"
    change = f"LABEL {STACK_LABEL}={name}"
    engine.api.import_image_from_data(shell_archive(), repository=name, tag="1", changes=[change])
    try:
        with provider_process() as (client, _):
            client.configure()
            yield ProvidedStack(name, engine, client)
    finally:
        remove_stack_objects(engine, name)


def healthy_if(path: str) -> dict[str, Any]:
    """A health check that passes while the path can be read."""
    return {"tests": ["CMD", "/bin/cat", path], "interval": "200ms", "retries": 1}
