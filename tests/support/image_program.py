"""A program of the docker provider's image resources, on a real engine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker

from infra.naming import STACK_LABEL
from plugins.docker.context import Context
from plugins.docker.resource import (
    CheckRequest,
    CreateRequest,
    DiffRequest,
    ReadRequest,
    Resource,
)
from plugins.docker.resources.image import ImageResource
from tests.support.machine import TEST_STACK_PREFIX, remove_stack_objects
from tests.support.shell_image import shell_archive

STACK = f"{TEST_STACK_PREFIX}{os.getpid()}-images"
BASE = f"{STACK}-base:1"


@contextmanager
def base_image(engine: docker.DockerClient) -> Iterator[None]:
    """The image of this machine's shell that the programs build on; all of theirs goes with it."""
    repository, tag = BASE.split(":")
    engine.api.import_image_from_data(
        shell_archive(), repository=repository, tag=tag, changes=[f"LABEL {STACK_LABEL}={STACK}"]
    )
    try:
        yield
    finally:
        remove_stack_objects(engine, STACK)


@dataclass
class Program:
    """A program's folder with one build context, and what the provider said while it ran."""

    folder: Path
    context: Context
    lines: list[str]

    @classmethod
    def start(cls, engine: docker.DockerClient, folder: Path) -> "Program":
        """A program in an empty folder."""
        lines: list[str] = []
        context = Context(
            urn="urn",
            engine=None,  # type: ignore[arg-type]
            client=engine,
            show_status=lines.append,
        )
        return cls(folder, context, lines)

    def dockerfile(self, *instructions: str, base: str = BASE) -> None:
        text = "\n".join((f"FROM {base}", f"LABEL {STACK_LABEL}={STACK}", *instructions))
        (self.folder / "Dockerfile").write_text(text + "\n")

    def image(self, name: str, **build: Any) -> dict[str, Any]:
        """Checked inputs of an image that is not pushed, built without network."""
        given = {
            "imageName": f"{STACK}-{name}:1",
            "skipPush": True,
            "build": {"context": ".", "network": "none", **build},
        }
        return checked(ImageResource(), given)

    def build(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return ImageResource().create(self.context, CreateRequest(inputs=inputs)).outputs


def checked(resource: Resource, given: dict[str, Any]) -> dict[str, Any]:
    result = resource.check(CheckRequest(name="x", old_inputs=None, inputs=given))
    assert result.failures == ()
    return result.inputs


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    request = DiffRequest(id="x", state={"__inputs": old}, old_inputs=old, inputs=new)
    return list(ImageResource().diff(request).changes)


def read(program: Program, resource: Resource, made: Any, inputs: dict[str, Any]) -> Any:
    request = ReadRequest(id=made.id, state=made.outputs, inputs=inputs)
    return resource.read(program.context, request)
