"""The images that faults are tried on: those of the stack."""

import docker
import pytest

from benchmarks.harness.machine import engine_client, remove_leftovers


@pytest.fixture(scope="session")
def engine() -> docker.DockerClient:
    """The engine, started by the set-up if none answered, rid of what dead runs left."""
    client = engine_client()
    remove_leftovers(client)
    return client
