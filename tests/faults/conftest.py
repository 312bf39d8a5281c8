"""The images that faults are tried on: those of the stack."""

import docker
import pytest
from infra.engine.client import connect

from tests.support.machine import remove_leftovers, tool_environment


@pytest.fixture(scope="session")
def engine() -> docker.DockerClient:
    """The engine, started by the set-up if none answered, rid of what dead runs left."""
    tool_environment()
    client = connect("")
    remove_leftovers(client)
    return client
