"""A served portal whose stores go away under load and come back: what is answered meanwhile."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import docker
import httpx
import pytest
from docker.models.containers import Container

from benchmarks.harness.production import free_ports
from benchmarks.harness.stores import make_database, run_stores
from tests.support.portal_client import PASSWORD
from tests.support.portal_process import run_portal, serve
from tests.support.readers import Answer, Readers
from tests.support.second_engine import base_images
from tests.support.waiting import wait_for

pytestmark = pytest.mark.alone

_CLIENTS = 8
_ANSWERS = 80
_CACHED = "/api/v1/entities/api/default/portal-api"
_UNCACHED = f"{_CACHED}/versions"
_LOGIN = {"email": "olga@example.com", "password": PASSWORD}


@dataclass(frozen=True)
class Portal:
    """A portal in a process of its own, and the stores that it depends on."""

    url: str
    process: "subprocess.Popen[str]"
    postgres: Container
    redis: Container

    @contextmanager
    def without(self, store: Container) -> Iterator[None]:
        """The store is away, and comes back in any case."""
        store.kill()
        try:
            yield
        finally:
            store.start()

    def read(self, path: str) -> Readers:
        return Readers(lambda: httpx.Client(base_url=self.url, timeout=30), path, _CLIENTS)

    def log_in(self) -> Answer:
        answer = httpx.post(f"{self.url}/api/v1/auth/login", json=_LOGIN, timeout=30)
        return answer.status_code, answer.headers.get("retry-after")


@pytest.fixture(scope="module")
def portal(engine: docker.DockerClient) -> Iterator[Portal]:
    """A portal that everybody may read, with stores of its own."""
    images = base_images("postgres", "redis")
    first, second = free_ports(2)
    with (
        run_stores(engine, *images, ports=(first, second)) as stores,
        make_database(stores, f"portal_{os.getpid()}_away") as environment,
    ):
        run_portal(environment, "migrate", "seed")
        wide = {"ANONYMOUS_READS": "true", "LOGIN_ATTEMPTS_PER_MINUTE": "10000"}
        with serve({**environment, **wide}) as (process, url):
            yield Portal(url, process, *stores.containers)


def test_without_redis_reads_go_on_and_log_in_fails_closed_until_it_is_back(
    portal: Portal,
) -> None:
    assert portal.log_in() == (200, None)
    with portal.read(_CACHED) as readers:
        readers.wait_for((200, None), _ANSWERS)
        readers.forget()
        with portal.without(portal.redis):
            began = time.monotonic()
            assert portal.log_in() == (503, "2")
            assert time.monotonic() - began < 1
            readers.wait_for((200, None), _ANSWERS)
        wait_for(lambda: portal.log_in() == (200, None))
    assert set(readers.answers) == {(200, None)}
    assert portal.process.poll() is None


def test_without_postgres_everybody_is_told_within_a_second_to_come_back(portal: Portal) -> None:
    with portal.read(_UNCACHED) as readers:
        readers.wait_for((200, None), _ANSWERS)
        with portal.without(portal.postgres):
            readers.wait_for((503, "2"), _CLIENTS)
            readers.forget()
            readers.wait_for((503, "2"), _ANSWERS)
            assert set(readers.answers) == {(503, "2")}
            assert readers.slowest < 1
            assert portal.log_in() == (503, "2")
            assert httpx.get(f"{portal.url}/livez").status_code == 200
        wait_for(lambda: portal.log_in() == (200, None))
        readers.forget()
        readers.wait_for((200, None), _ANSWERS)
        assert set(readers.answers) == {(200, None)}
    assert portal.process.poll() is None
