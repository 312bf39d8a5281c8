"""What tests of every kind share: the engine, and whole tracebacks."""

import sys
from collections.abc import Iterator
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


@pytest.fixture(autouse=True)
def whole_tracebacks() -> Iterator[None]:
    """An error that reaches a user has none, which a dynamic provider sets for its own process.

    In this one Pulumi, which looks up the stack for where a resource is made, would find nothing.
    """
    yield
    if hasattr(sys, "tracebacklimit"):
        del sys.tracebacklimit
