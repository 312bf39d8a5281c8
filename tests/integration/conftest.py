"""Stacks on a real engine: one that tests share, and one of their own for those that harm it."""

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import docker
import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser

from benchmarks.harness.portal_stack import PortalStack
from benchmarks.harness.production import production_settings
from benchmarks.harness.stores import Stores, copy_database, make_database, run_stores
from tests.support.browser import open_browser
from tests.support.portal_client import Person, log_in, run_replica
from tests.support.portal_process import Environment, run_portal
from tests.support.portal_site import Site, add_sample, site_of, visit
from tests.support.second_engine import base_images

Pause = Callable[[str], AbstractContextManager[None]]
_NUMBERS = itertools.count(1000)


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


@pytest.fixture(scope="session")
def stores(engine: docker.DockerClient) -> Iterator[Stores]:
    """PostgreSQL and Redis for tests of the portal itself.

    `TEST_DATABASE_URL` (a superuser's) and `TEST_REDIS_URL` name servers to use; without them what
    the stack's images are based on is started.
    """
    database_url, redis_url = (os.environ.get(f"TEST_{n}_URL") for n in ("DATABASE", "REDIS"))
    if database_url and redis_url:
        yield Stores(database_url, redis_url)
        return
    with run_stores(engine, *base_images("postgres", "redis")) as started:
        yield started


@pytest.fixture
def pause(stores: Stores) -> Pause:
    """Freezes a store for a while: connections stay open, and nothing is answered."""
    if not stores.containers:
        pytest.skip("servers of others are not paused")
    postgres, redis = stores.containers

    @contextmanager
    def pause(name: str) -> Iterator[None]:
        container = {"postgres": postgres, "redis": redis}[name]
        container.pause()
        try:
            yield
        finally:
            container.unpause()

    return pause


@pytest.fixture(scope="session")
def example_data(stores: Stores) -> Iterator[Environment]:
    """The environment of a database with the example data, which is there to be copied."""
    with make_database(stores, f"portal_{os.getpid()}") as environment:
        run_portal(environment, "migrate", "seed")
        yield environment


@pytest.fixture(scope="module")
def environment(stores: Stores, example_data: Environment) -> Iterator[Environment]:
    """The portal's environment, with the example data, for the tests of one file."""
    wide = {"LOGIN_ATTEMPTS_PER_MINUTE": "10000", "USER_REQUESTS_PER_MINUTE": "100000"}
    more = {"REFRESHES_PER_MINUTE": "10000", "KEY_REQUESTS_PER_MINUTE": "100000"}
    with copy_database(stores, example_data, f"portal_{os.getpid()}_{next(_NUMBERS)}") as copy:
        yield {**copy, **wide, **more}


@pytest.fixture(scope="module")
def replica(environment: Environment) -> Iterator[TestClient]:
    """The portal in this process."""
    with run_replica(environment) as client:
        yield client


@pytest.fixture(scope="module")
def other(environment: Environment) -> Iterator[TestClient]:
    """Another replica on the same stores."""
    with run_replica(environment) as client:
        yield client


@pytest.fixture(scope="module")
def admin(replica: TestClient) -> Person:
    return log_in(replica, "admin@example.com")


@pytest.fixture(scope="module")
def paula(replica: TestClient) -> Person:
    """Of the team payments."""
    return log_in(replica, "paula@example.com")


@pytest.fixture(scope="module")
def olga(replica: TestClient) -> Person:
    """Of the team platform."""
    return log_in(replica, "olga@example.com")


@pytest.fixture(scope="session")
def site(running_stack: PortalStack) -> Site:
    """The running stack's portal, with something in it to look at."""
    found = site_of(running_stack)
    add_sample(found)
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser; each visitor has a window of its own."""
    with open_browser() as found:
        yield found


@pytest.fixture(scope="module")
def signed_in(browser: Browser, site: Site) -> Any:
    """Cookies of a session of the administrator's."""
    with visit(browser, site) as visitor:
        visitor.sign_in()
        return visitor.page.context.storage_state()


@pytest.fixture(autouse=True)
def describe_on_failure(request: pytest.FixtureRequest) -> Iterator[None]:
    """Show containers' logs and Pulumi's output when a test of a stack fails."""
    failed_before = request.session.testsfailed
    yield
    if request.session.testsfailed > failed_before and isinstance(request.node, pytest.Function):
        used = request.node.funcargs.values()
        for stack in {id(one): one for one in used if isinstance(one, PortalStack)}.values():
            stack.describe(print)
