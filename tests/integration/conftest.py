"""Stacks on a real engine: one that tests share, and one of their own for those that harm it."""

from collections.abc import Iterator

import docker
import pytest

from infra.engine_client import connect
from tests.support.machine import remove_leftovers, tool_environment
from tests.support.portal_stack import PortalStack
from tests.support.production import production_settings


@pytest.fixture(scope="session")
def engine() -> docker.DockerClient:
    """The engine, started by the set-up if none answered, rid of what dead runs left."""
    tool_environment()
    client = connect("")
    remove_leftovers(client)
    return client


@pytest.fixture(scope="module")
def empty_stack(
    engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PortalStack]:
    """A development stack that has not been brought up."""
    stack = PortalStack(tmp_path_factory.mktemp("stack"), engine)
    yield stack
    stack.remove()


@pytest.fixture(scope="session")
def running_stack(
    engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PortalStack]:
    """A development stack, up and healthy, for all tests that leave it so."""
    stack = PortalStack(tmp_path_factory.mktemp("running"), engine)
    stack.up()
    yield stack
    stack.remove()


@pytest.fixture(scope="session")
def production_stack(
    engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PortalStack]:
    """A production stack, up and healthy, for all tests that leave it so."""
    folder = tmp_path_factory.mktemp("production")
    stack = PortalStack(folder, engine, settings=production_settings())
    stack.up()
    yield stack
    stack.remove()


@pytest.fixture(autouse=True)
def describe_on_failure(request: pytest.FixtureRequest) -> Iterator[None]:
    """Show containers' logs and Pulumi's output when a test of a stack fails."""
    failed_before = request.session.testsfailed
    yield
    name = next(
        (
            n
            for n in ("running_stack", "empty_stack", "production_stack")
            if n in request.fixturenames
        ),
        None,
    )
    if name and request.session.testsfailed > failed_before:
        request.getfixturevalue(name).describe(print)
