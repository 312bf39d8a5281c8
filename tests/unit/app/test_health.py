"""What the portal tells of its own health, and to whom."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.revisions import code_revisions
from tests.unit.app.conftest import FakeDatabase, FakeRedis

NO_REDIS = "redis: ConnectionError (logging in fails; what everybody may read is still served)"


def test_health_is_503_and_names_the_dead_dependency(
    client: TestClient, database: FakeDatabase
) -> None:
    assert client.get("/health").status_code == 200
    database.away = True
    answer = client.get("/health")
    assert answer.status_code == 503
    dependencies = answer.json()["dependencies"]
    assert dependencies["postgres"]["reason"] == "the database does not answer"
    assert dependencies["redis"]["status"] == "ok"


@pytest.mark.parametrize("config", [{"APP_ENV": "production"}], indirect=True)
def test_strangers_learn_the_status_alone_in_production(
    client: TestClient, database: FakeDatabase
) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    database.away = True
    answer = client.get("/health", headers={"Authorization": "Bearer not a token"})
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})
    inside = ("/version", "/docs", "/openapi.json")
    assert [client.get(path).status_code for path in inside] == [401] * 3
    page = client.get("/sign-in", headers={"Accept": "text/html"})
    assert (page.status_code, "<span>Developer portal </span>" in page.text) == (200, True)


def test_portal_that_was_ready_stays_healthy_without_its_stores(
    client: TestClient, database: FakeDatabase, redis: FakeRedis
) -> None:
    database.away = True
    reasons = ["postgres: the database does not answer"]
    answer = client.get("/startupz")
    assert (answer.status_code, answer.json()) == (503, {"ready": False, "reasons": reasons})
    database.away = False
    assert client.get("/startupz").status_code == 200
    database.away = redis.away = True
    assert [client.get(path).status_code for path in ("/startupz", "/livez", "/readyz")] == [
        200,
        200,
        503,
    ]


@pytest.mark.parametrize("reason", [NO_REDIS, "draining", "schema"])
def test_readiness_tells_what_speaks_against_it(
    client: TestClient,
    application: FastAPI,
    database: FakeDatabase,
    redis: FakeRedis,
    reason: str,
) -> None:
    assert client.get("/readyz").json() == {"ready": True, "reasons": []}
    if reason == "draining":
        application.state.services.health.start_draining()
    elif reason == "schema":
        database.heads = set()
        reason = f"schema: should be at {', '.join(sorted(code_revisions().heads))} (is at nothing)"
    else:
        redis.away = True
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"ready": False, "reasons": [reason]})
