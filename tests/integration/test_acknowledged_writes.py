"""What a store has acknowledged is there after the death of its processes.

A killed process says nothing about a power failure: the system still writes what the process had
handed to it. What protects against that is asserted by query, of PostgreSQL in
test_store_security.py.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import docker
import psycopg
import pytest
import redis
from docker.errors import DockerException
from redis.backoff import NoBackoff
from redis.retry import Retry

from benchmarks.harness.background import Background
from benchmarks.harness.portal_stack import PortalStack
from tests.support.store_servers import PASSWORD, Server, run_server
from tests.support.waiting import wait_for

ROLES = ("postgres", "redis")
# Of a whole stack, the images and what they are children of.
_BUILT = ("devportal", "docker", "images", "image-cleanup", *(f"{role}-image" for role in ROLES))
KILLS = 10
WRITERS = 8
# Of each round, before the kill.
WRITES = 300
REDIS_LOSS_SECONDS = 2.0
"""With `everysec` Redis holds writes back for so long while the disk is busy with the last."""
Kill = tuple[float, float]
"""The moments before and after it: a write may be acknowledged in between."""
_ACCESS_LIST = f"user default off\nuser app on >{PASSWORD} ~* &* +@all\n"


@pytest.fixture(scope="module")
def images(empty_stack: PortalStack) -> Mapping[str, str]:
    """Ids of the stores' images by role, as a stack builds them."""
    empty_stack.up(target=[f"**::{name}" for name in _BUILT])
    names = {role: f"devportal-{empty_stack.name}-{role}" for role in ROLES}
    return {role: str(empty_stack.client.images.get(name).id) for role, name in names.items()}


@dataclass
class Writers(Background):
    """Threads that write numbers, each once, and remember when each was acknowledged."""

    write: Callable[[Iterator[int]], Iterator[int]]
    acknowledged: dict[int, float] = field(default_factory=dict)

    def work(self) -> Iterator[Callable[[], None]]:
        return (partial(self._run, first) for first in range(WRITERS))

    def wait_for(self, more: int) -> None:
        """Wait until so many more are acknowledged."""
        wanted = len(self.acknowledged) + more
        wait_for(lambda: len(self.acknowledged) >= wanted, timeout_seconds=180)

    def _run(self, first: int) -> None:
        numbers = iter(range(first, 1 << 40, WRITERS))
        while not self.ended.is_set():
            try:
                for number in self.write(numbers):
                    self.acknowledged[number] = time.monotonic()
                    if self.ended.is_set():
                        return
            except (psycopg.Error, redis.RedisError, OSError, DockerException):
                # Its server is away; the number under way counts as not acknowledged.
                self.ended.wait(0.05)


def kill_under_load(server: Server, writers: Writers, is_up: Callable[[], bool]) -> list[Kill]:
    """Kill and start the server again and again."""
    kills: list[Kill] = []
    with writers:
        for _ in range(KILLS):
            writers.wait_for(WRITES)
            begun = time.monotonic()
            server.kill()
            kills.append((begun, time.monotonic()))
            server.start(is_up)
        writers.wait_for(WRITES)
    return kills


# --- PostgreSQL


@contextmanager
def run_postgres(engine: docker.DockerClient, image: str, *options: str) -> Iterator[Server]:
    names = ("postgres_password", "migrator_password", "app_password", "backup_password")
    with run_server(
        engine,
        image,
        "postgres",
        *options,
        user="70:70",
        port=5432,
        files=dict.fromkeys(names, PASSWORD),
        environment={
            "POSTGRES_DB": "devportal",
            "POSTGRES_PASSWORD_FILE": "/run/secrets/postgres_password",
        },
        tmpfs={"/var/run/postgresql": "uid=70,gid=70,mode=0700"},
    ) as server:
        server.wait_until(lambda: is_postgres_up(server))
        with connect_postgres(server) as connection:
            connection.execute("create table written (number bigint primary key)")
        yield server


def connect_postgres(server: Server) -> "psycopg.Connection[tuple[object, ...]]":
    host, port = server.address
    return psycopg.connect(
        host=host,
        port=port,
        user="devportal_migrator",
        password=PASSWORD,
        dbname="devportal",
        autocommit=True,
        connect_timeout=5,
    )


def is_postgres_up(server: Server) -> bool:
    try:
        connect_postgres(server).close()
    except (psycopg.OperationalError, ConnectionError):
        return False
    return True


def write_to_postgres(server: Server) -> Writers:
    def write(numbers: Iterator[int]) -> Iterator[int]:
        with connect_postgres(server) as connection:
            for number in numbers:
                connection.execute("insert into written values (%s)", (number,))
                yield number

    return Writers(write)


def lost_by_postgres(server: Server, acknowledged: set[int]) -> set[int]:
    with connect_postgres(server) as connection:
        found = {row[0] for row in connection.execute("select number from written")}
    return acknowledged - found


def test_postgres_loses_no_acknowledged_write(
    engine: docker.DockerClient, images: Mapping[str, str]
) -> None:
    with run_postgres(engine, images["postgres"]) as server:
        writers = write_to_postgres(server)
        kill_under_load(server, writers, lambda: is_postgres_up(server))
        assert len(writers.acknowledged) > KILLS * WRITES
        assert lost_by_postgres(server, set(writers.acknowledged)) == set()
        print(f"PostgreSQL: 0 of {len(writers.acknowledged)} acknowledged writes lost")


def test_lost_writes_would_be_seen(engine: docker.DockerClient, images: Mapping[str, str]) -> None:
    """The measure itself: a server that acknowledges before it writes is found out."""
    late = ("-c", "synchronous_commit=off", "-c", "wal_writer_delay=10s")
    with run_postgres(engine, images["postgres"], *late) as server:
        with write_to_postgres(server) as writers:
            writers.wait_for(WRITES)
            server.kill()
        server.start(lambda: is_postgres_up(server))
        assert lost_by_postgres(server, set(writers.acknowledged)) != set()


# --- Redis


@contextmanager
def run_redis(engine: docker.DockerClient, image: str) -> Iterator[Server]:
    with run_server(
        engine,
        image,
        "redis-server",
        "/etc/redis/redis.conf",
        user="999:1000",
        port=6379,
        files={"users.acl": _ACCESS_LIST},
    ) as server:
        server.wait_until(lambda: is_redis_up(server))
        yield server


def connect_redis(server: Server) -> "redis.Redis":
    host, port = server.address
    return redis.Redis(
        host=host,
        port=port,
        username="app",
        password=PASSWORD,
        # A write that is sent again would hide that the first was lost.
        retry=Retry(NoBackoff(), 0),
        socket_timeout=5,
    )


def is_redis_up(server: Server) -> bool:
    try:
        with connect_redis(server) as client:
            return bool(client.ping())
    except (redis.RedisError, ConnectionError):
        return False


def test_redis_loses_no_write_but_those_of_its_policys_last_moments(
    engine: docker.DockerClient, images: Mapping[str, str]
) -> None:
    """It writes before it answers, unless the disk is busy: then it holds writes back a little."""

    def write(numbers: Iterator[int]) -> Iterator[int]:
        with connect_redis(server) as client:
            for number in numbers:
                client.set(str(number), "1")
                yield number

    with run_redis(engine, images["redis"]) as server:
        with connect_redis(server) as client:
            policy = client.config_get("append*")
        assert (policy["appendonly"], policy["appendfsync"]) == ("yes", "everysec")
        writers = Writers(write)
        kills = kill_under_load(server, writers, lambda: is_redis_up(server))
        with connect_redis(server) as client:
            found = {int(key) for key in client.scan_iter(count=10_000)}
        assert len(writers.acknowledged) > KILLS * WRITES
        lost = {number: at for number, at in writers.acknowledged.items() if number not in found}
        print(f"Redis: {len(lost)} of {len(writers.acknowledged)} acknowledged writes lost")
        ages = [min(begun - at for begun, done in kills if done > at) for at in lost.values()]
        assert [age for age in ages if age > REDIS_LOSS_SECONDS] == []
