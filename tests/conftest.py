"""What tests of every kind share: the engine, and whole tracebacks."""

import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest

_SHARED = {"production_stack", "running_stack", "stores"}


@pytest.fixture(scope="session")
def engine() -> Any:
    """The engine's client, started by the set-up if none answered, rid of what dead runs left."""
    # Only here: unit tests do without the Docker SDK, and pytest imports this for them too.
    from benchmarks.harness.machine import engine_client, remove_leftovers

    client = engine_client()
    # Of two workers one, as they would stumble over each other.
    if os.environ.get("PYTEST_XDIST_WORKER", "gw0") == "gw0":
        remove_leftovers(client)
    return client


# Before xdist reads the marks.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that use a shared stack go to one worker, which makes it once; each other where it can.

    So no more than three stacks run at a time: the shared two, and the other worker's.
    """
    sharing = {item.path for item in items if _SHARED & set(getattr(item, "fixturenames", ()))}
    for item in items:
        group = "shared stacks" if item.path in sharing else item.path.name
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(autouse=True)
def whole_tracebacks() -> Iterator[None]:
    """An error that reaches a user has none, which a dynamic provider sets for its own process.

    In this one Pulumi, which looks up the stack for where a resource is made, would find nothing.
    """
    yield
    if hasattr(sys, "tracebacklimit"):
        del sys.tracebacklimit
