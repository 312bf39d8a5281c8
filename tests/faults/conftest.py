"""The images that faults are tried on: those of the stack."""

from collections.abc import Iterator, Mapping

import docker
import pytest

from benchmarks.harness.portal_stack import PortalStack

ROLES = ("postgres", "redis")
# Of a whole stack, the images and what they are children of.
_BUILT = ("devportal", "docker", "images", "image-cleanup", *(f"{role}-image" for role in ROLES))


@pytest.fixture(scope="session")
def images(
    engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, str]]:
    """Ids of the stores' images by role, as a stack builds them."""
    stack = PortalStack(tmp_path_factory.mktemp("faults"), engine)
    stack.up(target=[f"**::{name}" for name in _BUILT])
    names = {role: f"devportal-{stack.name}-{role}" for role in ROLES}
    yield {role: str(engine.images.get(name).id) for role, name in names.items()}
    stack.remove()
