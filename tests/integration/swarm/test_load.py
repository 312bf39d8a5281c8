"""Updates on a swarm under load: nothing is lost, and a bad version changes nothing."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from benchmarks.harness.portal_stack import PortalStack, PulumiFailed
from benchmarks.harness.probe_image import build_silent
from tests.integration.swarm.conftest import Swarm
from tests.support.swarm_load import send, task_ids, versions
from tests.support.updates import build_refused


@pytest.fixture(scope="module", autouse=True)
def _as_before(stack: PortalStack) -> Iterator[None]:
    """Afterwards there are as many tasks as before."""
    before = stack.settings["app"]["replicas"]
    yield
    stack.change_app(replicas=before)


@pytest.fixture
def _load(stack: PortalStack, swarm: Swarm) -> Iterator[None]:
    """Load on two edge nodes from before the test to after it, of which nothing is lost."""
    with send(stack, swarm.nodes[1:]) as orders:
        yield
    print(f"{orders.answered} answered")
    assert (orders.failures, orders.compare()) == ({}, (0, 0))


pytestmark = pytest.mark.usefixtures("_load")


@contextmanager
def refused(stack: PortalStack, **changes: Any) -> Iterator[str]:
    """Change in vain, which leaves the tasks that serve; what `up` said. Then change it back."""
    given, before = stack.settings["app"], task_ids(stack)
    with pytest.raises(PulumiFailed) as caught:
        stack.change_app(**changes)
    assert task_ids(stack) == before
    try:
        yield " ".join(str(caught.value).split())
    finally:
        stack.change_app(**given)


def test_new_version_and_another_secret_replace_every_task_and_lose_no_request(
    stack: PortalStack,
) -> None:
    before, old = task_ids(stack), key_of_tokens(stack)
    stack.set_secret("secrets.jwt_secret_key", secrets.token_urlsafe(32))
    stack.change_app(version="2", replicas=2)
    assert versions(stack) == ["2", "2"]
    assert before.isdisjoint(task_ids(stack))
    assert key_of_tokens(stack) != old


def key_of_tokens(stack: PortalStack) -> str:
    """Name of the one secret that the swarm has of it."""
    mine = stack.client.secrets.list(filters={"label": f"devportal.stack={stack.name}"})
    [name] = (one.name for one in mine if one.name.startswith("app-jwt-secret-key-"))
    return name


def test_tasks_are_added_and_taken_away_without_a_lost_request(stack: PortalStack) -> None:
    # Those that there are may be replaced: the provider hands over variables in any order.
    stack.change_app(replicas=6)
    assert versions(stack) == ["2"] * 6
    stack.change_app(replicas=2)
    assert versions(stack) == ["2", "2"]


def test_version_that_never_gets_healthy_leaves_the_old_tasks_serving(stack: PortalStack) -> None:
    health = stack.settings["health"]
    stack.configure(health={**health, "wait_seconds": 5})
    with refused(stack, version="3", image=build_silent(stack)) as said:
        assert "runs and never responds" in said
        stack.configure(health=health)
    assert versions(stack) == ["2", "2"]
    assert set(stack.preview()) == {"same"}


def test_migration_that_fails_leaves_the_old_tasks_serving(stack: PortalStack) -> None:
    before = task_ids(stack)
    head = stack.query("select version_num from alembic_version").strip()
    with refused(stack, version="4", image=build_refused(stack, head)) as said:
        name = f"devportal-{stack.name}-migrations"
        assert f"service {name}: should be finished within 3600 s (got failed: task" in said
        assert "division by zero" in said
        # Another `up` tries again, as what made it fail may have been mended by hand.
        tried = failed_migrations(stack)
        with pytest.raises(PulumiFailed):
            stack.up()
        assert len(failed_migrations(stack) - tried) == 1
    assert task_ids(stack) == before
    assert stack.query("select version_num from alembic_version").strip() == head


def test_configuration_that_nginx_refuses_changes_no_edge_node(stack: PortalStack) -> None:
    given, before = stack.settings["nginx"], task_ids(stack, "nginx")
    assert len(before) == 3
    stack.configure(nginx={**given, "extra_configuration": "retrun 204;"})
    with pytest.raises(PulumiFailed) as caught:
        stack.up()
    said = " ".join(str(caught.value).split())
    assert 'should pass `nginx -t` (got: unknown directive "retrun" in extra.conf:1)' in said
    assert task_ids(stack, "nginx") == before
    stack.configure(nginx=given)
    stack.up()
    assert set(stack.preview()) == {"same"}
    assert task_ids(stack, "nginx") == before


def failed_migrations(stack: PortalStack) -> set[str]:
    """Ids of tasks that a migration has failed in."""
    tasks = stack.client.services.get(f"devportal-{stack.name}-migrations").tasks()
    return {task["ID"] for task in tasks if task["Status"]["State"] == "failed"}
