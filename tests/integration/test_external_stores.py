"""A production stack whose PostgreSQL and Redis others run, over TLS and their own authority."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network

import docker
import pytest
from docker.models.containers import Container

from benchmarks.harness.machine import TEST_STACK_PREFIX, tool_environment
from benchmarks.harness.portal_stack import PortalStack
from benchmarks.harness.production import admin_password, portal_client, production_settings
from infra.naming import ROLE_LABEL, STACK_LABEL
from infra.resources.build_context import ROOT
from infra.x509 import Pair, make_authority, make_certificate
from tests.support.make import make, run, succeed
from tests.support.portal_client import add, log_in
from tests.support.waiting import wait_for

PASSWORD = "of:the/admin istrator"
QUOTED = "of%3Athe%2Fadmin%20istrator"
TLS = 'umask 077; cd /tmp; echo "$CERTIFICATE" > server.crt; echo "$KEY" > server.key; '
# The administrator is no superuser: nobody gets one of a managed server.
START_POSTGRES = TLS + (
    "initdb --pgdata=data --username=postgres --auth=trust >/dev/null;"
    " printf 'local all all trust\\nhostssl all all all scram-sha-256\\n' > data/pg_hba.conf;"
    f" echo \"create role boss login createrole createdb password '{PASSWORD}'\" |"
    " postgres --single -D data postgres >/dev/null;"
    " exec postgres -D data -k /tmp -c listen_addresses='*' -c fsync=off -c ssl=on"
    " -c ssl_cert_file=/tmp/server.crt -c ssl_key_file=/tmp/server.key -c log_statement=all"
)
START_REDIS = TLS + (
    "exec redis-server --port 0 --tls-port 6379 --tls-auth-clients no --save ''"
    " --tls-cert-file server.crt --tls-key-file server.key --user default off"
    f" --user portal on '>{PASSWORD.replace(' ', '-')}' '~*' '&*' +@all -@admin -@dangerous"
    " --user tests on nopass '~*' +@all --unixsocket /tmp/redis.sock"
)


@dataclass(frozen=True)
class Store:
    """A server in a container that is none of a stack's."""

    container: Container
    address: str

    def ask(self, *command: str) -> str:
        code, said = self.container.exec_run(list(command))
        assert isinstance(said, bytes)
        assert code == 0, said.decode()
        return said.decode().strip()


@dataclass(frozen=True)
class Stores:
    """Both servers, and the certificate of their authority."""

    postgres: Store
    redis: Store
    authority: str

    def query(self, sql: str, database: str = "devportal") -> str:
        return self.postgres.ask(
            "psql", "-h", "/tmp", "-U", "postgres", "-d", database, "-Atc", sql
        )


@contextmanager
def run_store(
    client: docker.DockerClient, role: str, user: str, start: str, pair: Pair, port: tuple[int, str]
) -> Iterator[Store]:
    """A server of the stack's base image on the address of the engine's own network."""
    source = tool_environment()["DEVPORTAL_IMAGE_SOURCE"]
    bases = json.loads((ROOT / "docker" / "base-images.json").read_text())
    internal, address = port
    container = client.containers.run(
        bases[role][source],
        ["-c", start],
        entrypoint="sh",
        user=user,
        detach=True,
        environment={"CERTIFICATE": pair.certificate, "KEY": pair.key},
        ports={f"{internal}/tcp": (address, 0)},
        healthcheck={"test": ["NONE"]},
        labels={STACK_LABEL: f"{TEST_STACK_PREFIX}{os.getpid()}-external"},
    )
    try:
        container.reload()
        [[binding]] = filter(None, container.ports.values())
        yield Store(container, f"{address}:{binding['HostPort']}")
    finally:
        container.remove(force=True, v=True)


@pytest.fixture(scope="module")
def stores(engine: docker.DockerClient) -> Iterator[Stores]:
    # The bridge's own address, which an engine that has never restarted does not tell.
    subnet = engine.networks.get("bridge").attrs["IPAM"]["Config"][0]["Subnet"]
    gateway = str(ip_network(subnet)[1])
    authority = make_authority("of others", [gateway])
    pair = make_certificate(authority, [gateway])
    with (
        run_store(engine, "postgres", "70:70", START_POSTGRES, pair, (5432, gateway)) as postgres,
        run_store(engine, "redis", "999:1000", START_REDIS, pair, (6379, gateway)) as redis,
    ):
        made = Stores(postgres, redis, authority.certificate)
        ready = ["pg_isready", "-h", "/tmp"]
        wait_for(lambda: postgres.container.exec_run(ready)[0] == 0, timeout_seconds=120)
        yield made


@pytest.fixture(scope="module")
def stack(
    engine: docker.DockerClient, stores: Stores, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PortalStack]:
    own = {"external_ca": stores.authority}
    settings = {**production_settings(), "postgres": own, "redis": own}
    made = PortalStack(tmp_path_factory.mktemp("external"), engine, settings=settings)
    user = f"portal:{QUOTED.replace('%20', '-')}"
    urls = {
        "postgres": f"postgresql://boss:{QUOTED}@{stores.postgres.address}/devportal"
        "?sslmode=verify-full",
        "redis": f"rediss://{user}@{stores.redis.address}/0",
    }
    command = ("pulumi", "config", "set", "--secret", "--path", "--stack", made.name)
    for store, url in urls.items():
        done = run(made, *command, f"devportal:{store}.external_url", url)
        assert done.code == 0, done.err
    try:
        made.up()
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def entity(stack: PortalStack) -> str:
    """Name of an entity that somebody who has signed in wrote."""
    with portal_client(stack) as client:
        first = admin_password(stack)
        change = {"current_password": first, "new_password": "chosen for this test"}
        log_in(client, "admin@example.com", first).post("/auth/password", change)
        admin = log_in(client, "admin@example.com", change["new_password"])
        assert admin.post("/teams", {"name": "payments", "title": "P"}).status_code == 201
        add(admin, "kept-elsewhere")
    return "kept-elsewhere"


def test_stack_runs_no_store_and_keeps_its_data_in_those_of_others(
    stack: PortalStack, stores: Stores, entity: str
) -> None:
    roles = {container.labels[ROLE_LABEL] for container in stack.containers()}
    assert roles == {"app", "backups", "migrations", "nginx", "postgres-roles"}
    volumes = {volume.name for volume in stack.client.volumes.list() if stack.name in volume.name}
    assert not {name for name in volumes if name.endswith(("postgres-data", "redis-data"))}
    assert stores.query(f"select count(*) from entity where name = '{entity}'") == "1"
    login = ["-s", "/tmp/redis.sock", "--user", "tests", "--pass", "any", "--no-auth-warning"]
    assert stores.redis.ask("redis-cli", *login, "keys", "session:*")


def test_every_connection_is_encrypted(stores: Stores, entity: str) -> None:
    sql = (
        "select bool_and(ssl) from pg_stat_ssl join pg_stat_activity using (pid) where client_addr"
    )
    assert stores.query(f"{sql} is not null") == "t"


def test_passwords_are_told_neither_to_the_servers_log_nor_by_the_engine(
    stack: PortalStack, stores: Stores
) -> None:
    given = stack.container("postgres-roles")
    told = json.dumps([container.attrs for container in stack.containers()])
    told += stores.postgres.container.logs().decode()
    for name in ("migrator_password", "app_password", "backup_password"):
        chunks, _ = given.get_archive(f"/run/secrets/{name}")
        secret = b"".join(chunks)[512:].split(b"\0")[0].decode()
        assert secret
        assert secret not in told
    assert QUOTED not in told


def test_plan_afterwards_changes_nothing(stack: PortalStack) -> None:
    assert set(stack.preview(refresh=True)) == {"same"}


def test_backup_of_it_is_tried_out_and_brings_lost_rows_back(
    stack: PortalStack, stores: Stores, entity: str
) -> None:
    backup = succeed(stack, "backup").splitlines()[-1]
    stack.run_in("backups", "backups", "check", backup)
    stores.query("delete from entity")
    succeed(stack, "restore", BACKUP=backup, ARGS="--yes")
    assert stores.query(f"select count(*) from entity where name = '{entity}'") == "1"
    assert set(stores.query("select datname from pg_database", "postgres").split()) == {
        "devportal",
        "postgres",
        "template0",
        "template1",
    }
    asked = succeed(stack, "psql", CMD="select current_user, count(*) from entity")
    assert "devportal_user" in asked


def test_password_that_was_changed_there_is_found_and_set_again(
    stack: PortalStack, stores: Stores
) -> None:
    stores.query("alter role devportal_user password 'another'")
    told = "postgres: devportal_user: should be let in with the password of the stack (got: "
    assert told in make(stack, "doctor").out
    succeed(stack, "run", CMD="prepare-database", ROLE="postgres-roles")
    assert told not in make(stack, "doctor").out


def test_redis_of_others_is_not_opened(stack: PortalStack) -> None:
    assert make(stack, "redis-cli", CMD="ping").err.splitlines()[0] == (
        f"stack {stack.name}: should run its own Redis for redis-cli (got "
        "devportal:redis.external_url). Use a client of yours on that server."
    )


def test_destroy_leaves_the_data_of_others_as_it_is(
    stack: PortalStack, stores: Stores, entity: str
) -> None:
    stack.destroy()
    assert stack.containers() == []
    assert stores.query(f"select count(*) from entity where name = '{entity}'") == "1"
