"""What tests of every kind share: the engine, and whole tracebacks."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_SHARED_STACKS = {"production_stack", "running_stack"}
_FOLDER = Path(__file__).parent
_SWARM = _FOLDER / "integration" / "swarm"
_UNIT = (_FOLDER / "unit", _FOLDER / "policy")


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
    """Files that share stacks go to one worker, which makes them once, and those that share stores
    to one, as all do that are to be alone; each other where it can. Production is made when
    development has been tried."""
    used: dict[Path, set[str]] = {}
    for item in items:
        used.setdefault(item.path, set()).update(getattr(item, "fixturenames", ()))
    for item in items:
        # Three engines, and probes of all tasks every 5 s, leave no processor for another stack.
        if item.path.is_relative_to(_SWARM):
            item.add_marker(pytest.mark.alone)
        if any(map(item.path.is_relative_to, _UNIT)):
            item.add_marker(pytest.mark.unit)
        item.add_marker(pytest.mark.xdist_group(_group(item, used[item.path])))
    items.sort(key=lambda item: "production_stack" in used[item.path])


def _group(item: pytest.Item, fixtures: set[str]) -> str:
    if item.get_closest_marker("alone"):
        return "alone"
    if _SHARED_STACKS & fixtures:
        return "stacks"
    return "stores" if "example_data" in fixtures or "stores" in fixtures else item.path.name


@pytest.fixture(autouse=True)
def whole_tracebacks() -> Iterator[None]:
    """An error that reaches a user has none, which a dynamic provider sets for its own process.

    In this one Pulumi, which looks up the stack for where a resource is made, would find nothing.
    """
    yield
    if hasattr(sys, "tracebacklimit"):
        del sys.tracebacklimit
