"""The plan's validation checklist, a test a line."""

from contextlib import suppress
from functools import partial

import httpx
import psycopg
import pytest
import redis

from benchmarks.harness.portal_stack import PortalStack
from tests.support.waiting import wait_for, wait_until_ok


def app_password(stack: PortalStack) -> str:
    return stack.run_in("adminer", "cat", "/run/secrets/app_password")


def devtools_password(stack: PortalStack) -> str:
    return stack.run_in("redis-commander", "cat", "/run/secrets/redis_password")


def redis_client(stack: PortalStack) -> "redis.Redis":
    host, port = stack.published("redis")
    return redis.Redis(host=host, port=port, username="devtools", password=devtools_password(stack))


def test_all_containers_start_successfully(running_stack: PortalStack) -> None:
    assert {c.status for c in running_stack.containers()} == {"running"}
    assert {c.attrs["RestartCount"] for c in running_stack.containers()} == {0}


def test_database_accepts_connections_and_contains_initial_schema(
    running_stack: PortalStack,
) -> None:
    host, _, port = running_stack.output("postgres_address").partition(":")
    with psycopg.connect(
        host=host,
        port=port,
        dbname="devportal",
        user="devportal_user",
        password=app_password(running_stack),
    ) as connection:
        extensions = connection.execute("select extname from pg_extension").fetchall()
        version = connection.execute("show server_version_num").fetchone()
        heads = connection.execute("select version_num from alembic_version").fetchall()
    assert {"uuid-ossp", "pgcrypto"} <= {name for (name,) in extensions}
    assert version is not None
    assert version[0].startswith("15")
    assert len(heads) == 1


def test_redis_is_accessible_and_persistent(running_stack: PortalStack) -> None:
    with redis_client(running_stack) as client:
        client.set("checklist", "kept")
        persistence = client.config_get("appendonly") | client.config_get("save")
        policy = client.config_get("maxmemory-policy") | client.config_get("maxmemory")
    assert persistence["appendonly"] == "yes"
    assert persistence["save"]
    assert policy == {"maxmemory-policy": "allkeys-lru", "maxmemory": str(256 << 20)}
    running_stack.container("redis").restart()

    def kept() -> object:
        with suppress(redis.ConnectionError), redis_client(running_stack) as client:
            return client.get("checklist")

    assert wait_for(kept) == b"kept"


def test_application_responds_to_health_checks(running_stack: PortalStack) -> None:
    url = running_stack.output("portal_url")
    for path in ("/health", "/livez", "/readyz"):
        wait_until_ok(partial(httpx.get, url + path))


def test_environment_variables_are_loaded(running_stack: PortalStack) -> None:
    environment = running_stack.run_in("app", "env").splitlines()
    assert "APP_ENV=development" in environment
    assert "JWT_ALGORITHM=HS256" in environment
    assert "JWT_EXPIRE_MINUTES=30" in environment
    assert "DATABASE_URL_FILE=/run/secrets/database_url" in environment
    running_stack.run_in("app", "python", "-m", "app", "check")


def test_volume_mounts_work(running_stack: PortalStack) -> None:
    running_stack.run_in("postgres", "test", "-s", "/var/lib/postgresql/data/PG_VERSION")
    running_stack.run_in("redis", "test", "-d", "/data/appendonlydir")
    running_stack.run_in("app", "test", "-r", "/run/secrets/database_url")
    code = running_stack.project / "app" / "main.py"
    assert running_stack.run_in("app", "cat", "/srv/portal/app/main.py") == code.read_text()


def test_services_reach_each_other_by_name(running_stack: PortalStack) -> None:
    for address in ("postgres:5432", "redis:6379"):
        running_stack.run_in("app", "wait-for-it.sh", address, "--timeout", "10")


def test_development_utilities_are_accessible(running_stack: PortalStack) -> None:
    for name in ("adminer_url", "redis_commander_url"):
        assert httpx.get(running_stack.output(name), follow_redirects=True).status_code == 200


@pytest.mark.parametrize("address", ["portal_url", "adminer_url", "redis_commander_url"])
@pytest.mark.parametrize(
    ("host", "answers"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("[::1]", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("evil", False),
    ],
)
def test_development_utilities_answer_no_name_that_a_web_page_may_have_pointed_here(
    running_stack: PortalStack, address: str, host: str, answers: bool
) -> None:
    url = running_stack.output(address)
    headers = {"Host": f"{host}:{httpx.URL(url).port}"}
    for path in ("/", "/adminer.php", "/nothing"):
        answer = httpx.get(url + path, headers=headers)
        assert (answer.status_code != 421) == answers, path


def test_application_role_may_not_change_the_schema(running_stack: PortalStack) -> None:
    allowed = running_stack.query(
        "select has_schema_privilege('devportal_user', 'public', 'create'), "
        "has_schema_privilege('devportal_migrator', 'public', 'create')"
    )
    assert allowed.strip() == "f|t"
