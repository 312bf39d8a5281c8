"""The portal on a real PostgreSQL and a real Redis: migrations, seed, and stores that are away.

The servers are those of the fixture `stores`.
"""

import itertools
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest
from fastapi.testclient import TestClient

from app.config import load_config
from app.constants import DATABASE_WAIT_SECONDS, MIGRATION_LOCK_KEY
from app.main import create_app
from app.revisions import code_revisions
from benchmarks.harness.stores import Stores, copy_database, make_database
from tests.integration.conftest import Pause
from tests.support.portal_client import log_in, problem
from tests.support.portal_process import (
    Environment,
    answers,
    ask,
    finish,
    run_alembic,
    run_portal,
    serve,
    start,
    tables,
)
from tests.support.waiting import wait_for

_NAMES = (f"portal_{os.getpid()}_{number}" for number in itertools.count())
_ENTITY = "/api/v1/entities/api/default/portal-api"
_UNCACHED = f"{_ENTITY}/versions"
_REVISIONS = ", ".join(sorted(code_revisions().known))


@pytest.fixture
def environment(stores: Stores) -> Iterator[Environment]:
    """The environment of a portal that everybody may read, with an empty database."""
    with make_database(stores, next(_NAMES)) as found:
        yield {**found, "ANONYMOUS_READS": "true"}


@pytest.fixture
def seeded(stores: Stores, example_data: Environment) -> Iterator[Environment]:
    """The same, with the example data."""
    with copy_database(stores, example_data, next(_NAMES)) as found:
        yield {**found, "ANONYMOUS_READS": "true"}


def test_five_replicas_apply_each_revision_once(environment: Environment) -> None:
    ends = [finish(process) for process in [start(environment, "app", "migrate") for _ in range(5)]]
    assert [code for code, _ in ends] == [0] * 5
    last_lines = sorted(said.splitlines()[-1] for _, said in ends)
    assert last_lines == [f"migrate: applied {_REVISIONS}", *["migrate: nothing to apply"] * 4]
    assert len(ask(environment, "select * from alembic_version")) == 1


def test_replica_waits_for_the_one_that_migrates(environment: Environment) -> None:
    with psycopg.connect(environment["MIGRATION_DATABASE_URL"], autocommit=True) as other:
        other.execute("select pg_advisory_lock(%s)", (MIGRATION_LOCK_KEY,))
        replica = start(environment, "app", "migrate")
        assert replica.stdout is not None
        assert replica.stdout.readline() == (
            "migrate: another replica is migrating, waiting for it\n"
        )
        assert tables(environment) == set()
    assert finish(replica) == (
        0,
        f"migrate: applying {_REVISIONS}\nmigrate: applied {_REVISIONS}\n",
    )


def test_every_revision_goes_down_and_up_to_what_the_code_declares(
    environment: Environment,
) -> None:
    for _ in range(2):
        run_portal(environment, "migrate")
        assert "No new upgrade operations detected." in run_alembic(environment, "check")
        run_alembic(environment, "downgrade", "base")
        assert tables(environment) == {"alembic_version"}


def test_revision_that_fails_leaves_the_schema_as_it_was(environment: Environment) -> None:
    ask(environment, "create table entity ()")
    assert finish(start(environment, "app", "migrate")) == (
        1,
        f"migrate: applying {_REVISIONS}\n"
        f'migrate: {_REVISIONS} should apply (got: relation "entity" already exists). '
        "The schema is as it was before. Correct the migration or the data that it refuses, then "
        "run this again.\n",
    )
    assert tables(environment) - {"alembic_version"} == {"entity"}


def test_older_release_leaves_a_newer_schema_alone(seeded: Environment) -> None:
    ask(seeded, "update alembic_version set version_num = 'of-a-newer-release'")
    assert run_portal(seeded, "migrate") == "migrate: nothing to apply\n"
    with TestClient(create_app(load_config(seeded)), "http://localhost") as client:
        assert client.get("/readyz").json() == {"ready": True, "reasons": []}


def test_seeding_twice_changes_nothing(seeded: Environment) -> None:
    query = "select id::text, created_at from {} order by 1"
    names = ("user_account", "team", "entity", "api_document", "page")
    before = [ask(seeded, query.format(name)) for name in names]
    assert [len(rows) for rows in before] == [9, 3, 22, 10, 6]
    said = run_portal(seeded, "seed", "create-admin")
    assert said.splitlines()[-1] == "create-admin: admin@example.com exists already"
    assert [ask(seeded, query.format(name)) for name in names] == before
    stored = ask(seeded, "select password_hash from user_account")
    assert {str(one).split("$")[1] for [one] in stored} == {"argon2id"}


def test_pages_follow_one_another_to_the_end(seeded: Environment) -> None:
    names: list[tuple[str, ...]] = []
    cursor = None
    with TestClient(create_app(load_config(seeded)), "http://localhost") as client:
        while True:
            page = client.get("/api/v1/entities", params={"limit": 3, "cursor": cursor}).json()
            names += [(i["kind"], i["namespace"], i["name"]) for i in page["items"]]
            if (cursor := page["next_cursor"]) is None:
                break
    assert names == ask(seeded, "select kind, namespace, name from entity order by 1, 2, 3")


@pytest.fixture
def client(seeded: Environment) -> Iterator[TestClient]:
    """The portal, whose only connection to PostgreSQL has been used."""
    config = load_config({**seeded, "DATABASE_POOL_SIZE": "1"})
    with TestClient(create_app(config), "http://localhost") as client:
        assert client.get(_UNCACHED).status_code == 200
        yield client


@pytest.mark.parametrize("path", [_UNCACHED, _ENTITY])
def test_frozen_database_is_503_soon_until_it_goes_on(
    client: TestClient, pause: Pause, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    olga = log_in(client, "olga@example.com")
    with pause("postgres"):
        # Of who is signed in, the account has to be read as well: the wait is still one.
        for headers in ({}, {}, olga.headers):
            began = time.monotonic()
            answer = client.get(path, headers=headers)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
            assert time.monotonic() - began < 2 * DATABASE_WAIT_SECONDS
        health = client.get("/health")
    assert health.status_code == 503
    assert health.json()["dependencies"]["postgres"]["reason"] == "no answer within 0.8 s"
    # The driver asks a frozen server to cancel, and waits 10 s for that.
    assert [record.message for record in caplog.records if record.name == "psycopg"] == []
    # Those whose answers nobody waits for any more are served first.
    wait_for(lambda: client.get(path).status_code == 200)


@pytest.mark.parametrize("path", [_UNCACHED, _ENTITY])
def test_restarted_database_is_noticed_without_an_error(
    client: TestClient, seeded: Environment, stores: Stores, path: str
) -> None:
    name = httpx.URL(seeded["DATABASE_URL"]).path.removeprefix("/")
    with psycopg.connect(stores.database_url, autocommit=True) as superuser:
        ended = superuser.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = %s and backend_type = 'client backend'",
            (name,),
        ).fetchall()
    assert ended == [(True,)]
    assert client.get(path).status_code == 200


def test_statement_that_waits_too_long_is_told_and_the_next_one_is_answered(
    client: TestClient, seeded: Environment
) -> None:
    with psycopg.connect(seeded["MIGRATION_DATABASE_URL"]) as blocker:
        blocker.execute("lock table api_document")
        said = (503, "the database cannot do this now")
        assert problem(client.get(_UNCACHED)) == said
        assert client.get(_ENTITY).status_code == 200


def test_running_request_ends_before_the_server_does(seeded: Environment) -> None:
    with (
        serve(seeded) as (server, url),
        psycopg.connect(seeded["MIGRATION_DATABASE_URL"]) as blocker,
        ThreadPoolExecutor() as threads,
    ):
        blocker.execute("lock table entity")
        running = threads.submit(httpx.get, url + _UNCACHED, timeout=60)
        waiting = "select 1 from pg_locks where not granted"
        wait_for(lambda: ask(seeded, waiting))
        server.terminate()
        wait_for(lambda: not answers(url))
        blocker.rollback()
        assert running.result().status_code == 200
        # The signal's own exit code: the server passes it on once it is done.
        assert server.wait(timeout=60) == -signal.SIGTERM
