"""Backups of a production stack: taken by itself, tried out, and a way back that loses no row."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.harness.portal_stack import PortalStack
from benchmarks.harness.production import portal_client
from infra.naming import ROLE_LABEL
from tests.support.make import make, succeed
from tests.support.readers import Readers
from tests.support.rows import add_odd_rows, drop_every_table, read_rights, read_rows
from tests.support.waiting import wait_for

_SWAP_CHECKSUM = """
head -c 3000 database.dump > short && cat short > database.dump && rm short
sum=$(sha256sum database.dump | cut -d' ' -f1)
sed -i "s/\\"sha256\\": \\"[0-9a-f]*/\\"sha256\\": \\"$sum/" manifest.json
"""
_ONE_ROW_MORE = (
    """sed -i 's/"public.odd_values" : 5000/"public.odd_values" : 5001/' manifest.json"""
)


@pytest.fixture(scope="module")
def stack(production_stack: PortalStack) -> Iterator[PortalStack]:
    """A production stack with rows of every kind, which has them no more afterwards."""
    add_odd_rows(production_stack)
    yield production_stack
    production_stack.query("drop table odd_values")


@pytest.fixture(scope="module")
def backup(stack: PortalStack) -> str:
    """The name of a backup that the tests leave as it is."""
    return take(stack)


def take(stack: PortalStack) -> str:
    return succeed(stack, "backup").splitlines()[-1]


def listed(stack: PortalStack) -> dict[str, dict[str, Any]]:
    lines = map(json.loads, stack.run_in("backups", "backups", "list").splitlines())
    return {line["name"]: line for line in lines}


def health(stack: PortalStack) -> tuple[int, str]:
    code, said = stack.container("backups").exec_run("healthcheck")
    assert isinstance(said, bytes)
    return code or 0, said.decode()


def databases(stack: PortalStack) -> str:
    return stack.query("select string_agg(datname, ',' order by datname) from pg_database").strip()


def in_store(stack: PortalStack, script: str) -> None:
    stack.run_in("backups", "sh", "-c", script)


def test_first_backup_is_taken_and_tried_out_by_the_stack_itself(
    production_stack: PortalStack,
) -> None:
    def tried_out() -> dict[str, Any] | None:
        first = next(iter(listed(production_stack).values()), None)
        return first if first and first["check"] else None

    first = wait_for(tried_out, timeout_seconds=60)
    assert first["check"]["result"] == "passed"
    assert first["manifest"]["revision"]
    assert first["manifest"]["tables"]["public.user_account"] == 1


def test_role_of_the_backups_may_read_and_nothing_else(stack: PortalStack) -> None:
    command = ["psql", "-Atqc", "select count(*) from odd_values"]
    assert stack.run_in("backups", *command) == "5000\n"
    for refused in (
        "delete from odd_values",
        "set transaction read write; insert into odd_values default values",
        "set default_transaction_read_only = off; create table mine (id int)",
    ):
        code, said = stack.container("backups").exec_run(["psql", "-c", refused])
        assert code == 1, refused
        assert isinstance(said, bytes)
        assert b"permission denied" in said or b"read-only transaction" in said


def test_every_row_comes_back_after_every_table_was_dropped(
    stack: PortalStack, backup: str
) -> None:
    rows, rights = read_rows(stack), read_rights(stack)
    assert len(rows["public.odd_values"]) == 5000
    drop_every_table(stack)
    said = succeed(stack, "restore", BACKUP=backup, ARGS="--yes").splitlines()
    lines = [re.sub(r"[0-9.]+ kB|[0-9]{8}T[0-9]{6}Z[-0-9]*", "*", line) for line in said]
    tables, count = len(rows), sum(map(len, rows.values()))
    assert lines[:5] == [
        "restore: *, *, has the checksum of its manifest",
        "restore: the present data is backup *",
        "restore: restoring beside the running database",
        f"restore: {tables} tables have the {count} rows of the manifest",
        "restore: the restored database is in place",
    ]
    assert read_rows(stack) == rows
    assert read_rights(stack) == rights
    assert databases(stack) == "devportal,postgres,template0,template1"


def test_portal_serves_or_asks_for_patience_while_a_backup_is_restored(
    stack: PortalStack, backup: str
) -> None:
    with Readers(lambda: portal_client(stack), "/api/v1/entities?limit=3") as readers:
        succeed(stack, "restore", BACKUP=backup, ARGS="--yes")
    assert {status for status, _ in readers.answers} <= {200, 503}
    assert all(retry for status, retry in readers.answers if status == 503)
    with portal_client(stack) as client:
        assert client.get("/api/v1/entities?limit=3").status_code == 200


def run_alembic(stack: PortalStack, *words: str) -> None:
    """Run it as the migrations' job would: the portals do not have its credentials."""
    job = stack.container("migrations")
    [network] = stack.container("postgres").attrs["NetworkSettings"]["Networks"]
    stack.client.containers.run(
        job.attrs["Image"],
        ["-m", "alembic", "-c", "migrations/alembic.ini", *words],
        entrypoint="python",
        environment=job.attrs["Config"]["Env"],
        volumes_from=[str(job.id)],
        network=network,
        labels={ROLE_LABEL: "alembic"},
        remove=True,
    )


def test_schema_of_an_older_backup_is_brought_up_to_date(stack: PortalStack, backup: str) -> None:
    head = stack.query("select version_num from alembic_version")
    started = {c.name: c.attrs["State"]["StartedAt"] for c in stack.containers("app")}
    run_alembic(stack, "downgrade", "-1")
    older = take(stack)
    run_alembic(stack, "upgrade", "head")
    said = succeed(stack, "restore", BACKUP=older, ARGS="--yes")
    job = stack.container("migrations")
    assert f"restore: starting {job.name}, which runs the missing migrations\n" in said
    assert job.attrs["State"]["ExitCode"] == 0
    assert said.count(" on the other schema\n") == len(started) == 2
    assert stack.query("select version_num from alembic_version") == head
    states = {c.name: c.attrs["State"] for c in stack.containers("app")}
    assert all(states[name]["StartedAt"] != started[name] for name in started)
    # The engine itself probes later: it may still call them starting.
    assert {c.exec_run("healthcheck")[0] for c in stack.containers("app")} == {0}
    succeed(stack, "restore", BACKUP=backup, ARGS="--yes")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (_SWAP_CHECKSUM, "should be restorable (got: pg_restore: error: "),
        (_ONE_ROW_MORE, "should have the rows of its manifest, "),
    ],
)
def test_backup_that_is_not_what_it_was_is_told_and_changes_nothing(
    stack: PortalStack, damage: str, told: str
) -> None:
    rows, broken = read_rows(stack), take(stack)
    in_store(stack, f"cd /backups/{broken}\n{damage}")
    done = make(stack, "restore", BACKUP=broken, ARGS="--yes")
    assert done.code != 0
    assert f"{broken}: {told}" in done.err
    assert read_rows(stack) == rows
    assert databases(stack) == "devportal,postgres,template0,template1"
    in_store(stack, f"rm -r /backups/{broken}")


def test_trial_of_a_backup_that_cannot_be_restored_fails_health_until_one_can(
    stack: PortalStack,
) -> None:
    broken = take(stack)
    in_store(stack, f"cd /backups/{broken}\n{_SWAP_CHECKSUM}")
    code, _ = stack.container("backups").exec_run(["backups", "check", broken])
    assert code == 1
    assert re.search(f"{broken} .* FAILED .*pg_restore: error", succeed(stack, "backups"))
    assert health(stack)[0] == 1
    good = take(stack)
    stack.run_in("backups", "backups", "check", good)
    assert health(stack) == (0, "")
    in_store(stack, f"rm -r /backups/{broken}")
