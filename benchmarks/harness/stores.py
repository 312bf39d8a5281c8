"""PostgreSQL and Redis for the portal without a stack: servers, and a database for each use."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import LiteralString
from urllib.parse import urlsplit

import docker
import psycopg
import redis
from docker.models.containers import Container
from psycopg import sql

from infra.naming import STACK_LABEL

_START_POSTGRES = (
    # Started again, it has its data already.
    "if initdb --pgdata /tmp/data --username postgres --auth trust >/dev/null; then"
    " echo 'host all all all trust' >> /tmp/data/pg_hba.conf; fi;"
    " exec postgres -D /tmp/data -k /tmp -c listen_addresses='*' -c fsync=off"
)
_START_REDIS = "cd /tmp && exec redis-server --port 6379 --save '' --protected-mode no"


@dataclass(frozen=True)
class Stores:
    """The URLs of PostgreSQL, for a superuser, and of Redis."""

    database_url: str
    redis_url: str
    containers: Sequence[Container] = ()


@contextmanager
def run_stores(
    client: docker.DockerClient, postgres: str, cache: str, *, ports: tuple[int, int] = (0, 0)
) -> Iterator[Stores]:
    """Empty servers of the stack's own images without passwords, removed afterwards.

    Parameters
    ----------
    ports
        Ports of the host; a server that is stopped and started needs a fixed one, because the
        engine chooses another each time.
    """
    containers: list[Container] = []
    try:
        containers.append(_run(client, postgres, "70:70", _START_POSTGRES, (5432, ports[0])))
        containers.append(_run(client, cache, "999:1000", _START_REDIS, (6379, ports[1])))
        stores = Stores(
            f"postgresql://postgres@127.0.0.1:{_port(containers[0])}/postgres",
            f"redis://127.0.0.1:{_port(containers[1])}/0",
            containers,
        )
        _wait_until_open(stores)
        yield stores
    finally:
        for container in containers:
            container.remove(force=True, v=True)


def _run(
    client: docker.DockerClient, image: str, user: str, command: str, port: tuple[int, int]
) -> Container:
    internal, external = port
    return client.containers.run(
        image,
        ["-c", command],
        entrypoint="sh",
        user=user,
        detach=True,
        ports={f"{internal}/tcp": ("127.0.0.1", external)},
        healthcheck={"test": ["NONE"]},
        # The prefix and the process id let a later test run remove what this one left behind.
        labels={STACK_LABEL: f"test-{os.getpid()}-stores"},
    )


def _port(container: Container) -> int:
    container.reload()
    [[binding]] = filter(None, container.ports.values())
    return int(binding["HostPort"])


def _wait_until_open(stores: Stores, *, timeout_seconds: float = 60) -> None:
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            psycopg.connect(stores.database_url, connect_timeout=2).close()
            redis.Redis.from_url(stores.redis_url).ping()
        except (psycopg.OperationalError, redis.ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


@contextmanager
def make_database(stores: Stores, name: str) -> Iterator[Mapping[str, str]]:
    """An empty database with the roles of docker/postgres/init.sql; the portal's environment."""
    # Responses that were cached for another database are wrong for this one.
    redis.Redis.from_url(stores.redis_url).flushdb()
    _create(stores, name)
    try:
        yield _environment(stores, name)
    finally:
        # A new connection: the server may have been restarted in the meantime.
        with psycopg.connect(stores.database_url, autocommit=True) as superuser:
            _execute(superuser, "drop database {} with (force)", name)
            _execute(superuser, "drop role {}, {}", f"{name}_migrator", f"{name}_user")


@contextmanager
def copy_database(
    stores: Stores, original: Mapping[str, str], name: str
) -> Iterator[Mapping[str, str]]:
    """A copy, for the same roles, of a database that nobody is connected to."""
    redis.Redis.from_url(stores.redis_url).flushdb()
    source = urlsplit(original["MIGRATION_DATABASE_URL"])
    owner, template = str(source.username), source.path.removeprefix("/")
    with psycopg.connect(stores.database_url, autocommit=True) as superuser:
        _execute(superuser, "create database {} owner {} template {}", name, owner, template)
    urls = {
        key: urlsplit(original[key])._replace(path=f"/{name}").geturl()
        for key in ("DATABASE_URL", "MIGRATION_DATABASE_URL")
    }
    try:
        yield {**original, **urls}
    finally:
        with psycopg.connect(stores.database_url, autocommit=True) as superuser:
            _execute(superuser, "drop database {} with (force)", name)


def _create(stores: Stores, name: str) -> None:
    migrator, user = f"{name}_migrator", f"{name}_user"
    with psycopg.connect(stores.database_url, autocommit=True) as superuser:
        _execute(superuser, "create role {} login password 'pw'", migrator)
        _execute(superuser, "create role {} login password 'pw'", user)
        _execute(superuser, "create database {} owner {}", name, migrator)
    with psycopg.connect(stores.database_url, dbname=name) as inside:
        _execute(inside, "revoke all on schema public from public")
        _execute(inside, "alter schema public owner to {}", migrator)
        _execute(inside, "grant usage on schema public to {}", user)
        _execute(
            inside,
            "alter default privileges for role {} in schema public "
            "grant select, insert, update, delete on tables to {}",
            migrator,
            user,
        )


def _execute(connection: psycopg.Connection, statement: LiteralString, *names: str) -> None:
    connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _environment(stores: Stores, name: str) -> dict[str, str]:
    server = urlsplit(stores.database_url)
    address = f"{server.hostname}:{server.port or 5432}"
    return {
        "APP_ENV": "development",
        "LOG_LEVEL": "info",
        "DATABASE_URL": f"postgresql://{name}_user:pw@{address}/{name}",
        "MIGRATION_DATABASE_URL": f"postgresql://{name}_migrator:pw@{address}/{name}",
        "REDIS_URL": stores.redis_url,
        "SECRET_KEY": "s" * 32,
        "JWT_SECRET_KEY": "j" * 32,
        "ADMIN_PASSWORD": "a" * 12,
    }
