"""What PostgreSQL and Redis of production allow, and to whom; asked of the running servers."""

import json

from benchmarks.harness.portal_stack import PortalStack

# Runs in the portal's container, as the portal's user of Redis; each word is what was answered.
ASK_REDIS = """
import json, sys
from pathlib import Path
import redis
from redis.exceptions import AuthenticationError, NoPermissionError

url = Path("/run/secrets/redis_url").read_text().strip()
commands = json.loads(sys.argv[1])
anonymous = redis.Redis.from_url("redis://" + url.rpartition("@")[2])
answers = []
for client in (redis.Redis.from_url(url), anonymous):
    for command in commands:
        try:
            client.execute_command(*command)
            answers.append("allowed")
        except AuthenticationError:
            answers.append("no password")
        except NoPermissionError:
            answers.append("no permission")
print(json.dumps(answers))
"""
# As an attacker inside the portal; prints an answer for each statement.
ASK_POSTGRES = """
import json, sys
from pathlib import Path
import psycopg

url = Path("/run/secrets/database_url").read_text().strip()
answers = []
with psycopg.connect(url, autocommit=True) as connection:
    for statement in json.loads(sys.argv[1]):
        try:
            connection.execute(statement)
            answers.append("allowed")
        except psycopg.errors.InsufficientPrivilege:
            answers.append("no permission")
print(json.dumps(answers))
"""
LIST_FILES = "import os, sys; print(*os.listdir(sys.argv[1]))"


def ask(stack: PortalStack, sql: str) -> list[str]:
    return stack.query(sql).split()


def run_in_portal(stack: PortalStack, program: str, argument: str) -> str:
    code, output = stack.containers("app")[0].exec_run(["python", "-c", program, argument])
    assert code == 0, output
    assert isinstance(output, bytes)
    return output.decode()


def test_postgres_keeps_what_it_acknowledges_and_hashes_passwords(
    production_stack: PortalStack,
) -> None:
    expected = {
        # Killing a process cannot show that these are off: it loses no page of the kernel's.
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "password_encryption": "scram-sha-256",
        "superuser_reserved_connections": "3",
    }
    assert {name: ask(production_stack, f"show {name}")[0] for name in expected} == expected


def test_every_password_is_stored_as_scram(production_stack: PortalStack) -> None:
    sql = "select rolname, left(rolpassword, 13) from pg_authid where rolcanlogin order by 1"
    assert ask(production_stack, sql) == [
        "devportal_backup|SCRAM-SHA-256",
        "devportal_migrator|SCRAM-SHA-256",
        "devportal_user|SCRAM-SHA-256",
        "postgres|SCRAM-SHA-256",
    ]


def test_only_postgres_itself_has_rights_over_the_server(production_stack: PortalStack) -> None:
    sql = (
        "select rolname from pg_roles where rolsuper or rolcreaterole or rolcreatedb "
        "or rolreplication or rolbypassrls"
    )
    assert ask(production_stack, sql) == ["postgres"]


def test_network_is_let_in_by_scram_alone(production_stack: PortalStack) -> None:
    sql = "select type, user_name, auth_method from pg_hba_file_rules order by 1"
    assert ask(production_stack, sql) == [
        "host|{devportal_user,devportal_migrator,devportal_backup}|scram-sha-256",
        "local|{postgres}|peer",
    ]


def test_shared_memory_has_the_size_of_the_setting(production_stack: PortalStack) -> None:
    assert production_stack.container("postgres").attrs["HostConfig"]["ShmSize"] == 256 << 20
    lines = production_stack.run_in("postgres", "df", "-m", "/dev/shm").splitlines()
    assert lines[-1].split()[1] == "256"


def test_redis_lets_the_portal_work_and_not_rule_and_nobody_else_in(
    production_stack: PortalStack,
) -> None:
    commands = [
        ["SET", "test:hardening", "1", "EX", "60"],
        ["CONFIG", "GET", "*"],
        ["ACL", "LIST"],
        ["FLUSHALL"],
        ["KEYS", "*"],
        ["SHUTDOWN"],
        ["SAVE"],
        ["REPLICAOF", "NO", "ONE"],
    ]
    answers = json.loads(run_in_portal(production_stack, ASK_REDIS, json.dumps(commands)))
    refused = len(commands) - 1
    assert answers == [
        "allowed",
        *["no permission"] * refused,
        *["no password"] * len(commands),
    ]


def test_portal_that_was_broken_into_changes_neither_the_audit_trail_nor_the_schema(
    production_stack: PortalStack,
) -> None:
    statements = [
        "update audit_event set actor = 'me'",
        "delete from audit_event",
        "truncate audit_event",
        "drop table audit_event",
        "alter table audit_event disable trigger all",
        "alter table audit_event owner to devportal_user",
        "create table mine (id int)",
        "create function mine() returns int language sql as 'select 1'",
        "create schema mine",
        "create role mine",
        "alter role devportal_user superuser",
        "set role devportal_migrator",
        "set session_replication_role = replica",
        "update alembic_version set version_num = ''",
        "copy (select 1) to program 'true'",
        "select pg_read_file('/run/secrets/migrator_password')",
    ]
    answers = json.loads(run_in_portal(production_stack, ASK_POSTGRES, json.dumps(statements)))
    assert answers == ["no permission"] * len(statements)
    files = run_in_portal(production_stack, LIST_FILES, "/run/secrets").split()
    assert not {"migration_database_url", "admin_password"} & set(files)
