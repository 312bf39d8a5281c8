"""The engine, for tests of every kind that need one."""

from typing import Any

import pytest


@pytest.fixture(scope="session")
def engine() -> Any:
    """The engine's client, started by the set-up if none answered, rid of what dead runs left."""
    # Only here: unit tests do without the Docker SDK, and pytest imports this for them too.
    from benchmarks.harness.machine import engine_client, remove_leftovers

    client = engine_client()
    remove_leftovers(client)
    return client
