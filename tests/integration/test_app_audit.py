"""The audit trail and what is told about the portal's work, on real stores."""

import csv
import io
import json
import re

import httpx
import psycopg
import pytest
from fastapi.testclient import TestClient

from tests.support.portal_client import PASSWORD, Person, bearer, log_in, problem, program
from tests.support.portal_process import Environment, ask, serve

_TEAM = "/teams/search"


def test_change_tells_who_did_what_from_where_in_which_request(
    replica: TestClient, admin: Person
) -> None:
    sami = log_in(replica, "sami@example.com")
    changed = sami.ask("PATCH", _TEAM, json={"title": "Search and find"})
    request_id = changed.headers["x-request-id"]
    [event] = admin.get("/admin/audit", params={"request_id": request_id}).json()["items"]
    assert re.fullmatch(r"127(\.\d+){3}", event.pop("address"))
    assert set(event) == {"id", "at", "actor_id", *_SHOWN}
    assert {name: event[name] for name in _SHOWN} == {
        "actor": "sami@example.com",
        "actor_kind": "session",
        "action": "team.update",
        "target": "team:search",
        "detail": {"title": "Search and find"},
        "request_id": request_id,
    }


STORE_ERRORS = "portal_store_errors_total{"
_SHOWN = ("actor", "actor_kind", "action", "target", "detail", "request_id")


def test_refused_change_leaves_no_event(replica: TestClient, admin: Person) -> None:
    stranger = log_in(replica, "nadia@example.com")
    refused = stranger.ask("PATCH", _TEAM, json={"title": "Mine"})
    assert problem(refused) == (403, "this needs an owner of the team 'search'")
    wanted = {"request_id": refused.headers["x-request-id"]}
    assert admin.get("/admin/audit", params=wanted).json()["items"] == []


def test_pages_of_the_trail_follow_one_another(admin: Person, replica: TestClient) -> None:
    for _ in range(5):
        log_in(replica, "vera@example.com")
    wanted = {"actor": "vera@example.com", "action": "session", "limit": 2}
    found, cursor = [], None
    while True:
        page = admin.get("/admin/audit", params={**wanted, "cursor": cursor}).json()
        found += [event["id"] for event in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert len(found) >= 5
    assert found == sorted(set(found), reverse=True)
    nothing = admin.get("/admin/audit", params={**wanted, "until": "2020-01-01T00:00:00Z"})
    assert nothing.json() == {"items": [], "next_cursor": None}
    number = admin.get("/admin/audit", params={"until": "1764000000"})
    expected = "query.until: should be a time like 2026-11-25T09:30:00Z"
    assert problem(number) == (422, expected)
    # What stands for any text in a pattern is a letter here.
    assert admin.get("/admin/audit", params={"action": "%"}).json()["items"] == []


@pytest.mark.parametrize("cursor", ["-1", "x", "99999999999999999999", "\u0663"])
def test_forged_cursor_is_a_page_that_is_not_there(admin: Person, cursor: str) -> None:
    answer = admin.get("/admin/audit", params={"cursor": cursor})
    assert problem(answer) == (404, "there is no page with this cursor")


def test_exports_have_every_event_and_are_one_themselves(
    admin: Person, environment: Environment
) -> None:
    lines = admin.get("/admin/audit", params={"format": "ndjson"})
    assert lines.headers["content-type"] == "application/x-ndjson"
    events = [json.loads(line) for line in lines.text.splitlines()]
    [(count,)] = ask(environment, "select count(*) from audit_event")
    assert (len(events), events[0]["action"]) == (count, "audit.export")
    table = admin.get("/admin/audit", params={"format": "csv"})
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert table.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [int(row["id"]) for row in rows[1:]] == [event["id"] for event in events]


def test_export_of_many_events_takes_them_in_batches(
    admin: Person, environment: Environment
) -> None:
    ask(
        environment,
        "insert into audit_event (actor, actor_kind, action, target)"
        " select 'many', 'system', 'test', n::text from generate_series(1, 2500) n returning id",
    )
    lines = admin.get("/admin/audit", params={"format": "ndjson", "actor": "many"}).text
    targets = [int(json.loads(line)["target"]) for line in lines.splitlines()]
    assert targets == list(range(2500, 0, -1))


def test_no_spreadsheet_executes_what_a_cell_holds(admin: Person, environment: Environment) -> None:
    ask(
        environment,
        "insert into audit_event (actor, actor_kind, action, target)"
        " values ('=cmd|'' /C calc''!A0', 'system', '+1', E'\\t@SUM(1)') returning id",
    )
    wanted = {"format": "csv", "action": "+1"}
    [row] = csv.DictReader(io.StringIO(admin.get("/admin/audit", params=wanted).text))
    assert (row["actor"], row["action"], row["target"]) == (
        "'=cmd|' /C calc'!A0",
        "'+1",
        "'\t@SUM(1)",
    )


@pytest.mark.parametrize(
    "statement", ["update audit_event set actor = 'me'", "delete from audit_event"]
)
def test_not_even_the_schemas_owner_changes_or_deletes_an_event(
    environment: Environment, statement: str
) -> None:
    with pytest.raises(psycopg.errors.RaiseException) as caught:
        ask(environment, statement)
    first_line = str(caught.value).splitlines()[0]
    kind = statement.split()[0].upper()
    assert first_line == f"audit_event: rows are only ever added (got {kind})"


def test_logs_and_refusals_have_no_secret(environment: Environment) -> None:
    with serve({**environment, "LOG_LEVEL": "debug"}, keep_log=True) as (server, url):
        given = {"email": "paula@example.com", "password": PASSWORD}
        tokens = httpx.post(f"{url}/api/v1/auth/login", json=given).json()
        headers = bearer(tokens["access_token"])
        wanted = {"name": "logged", "scopes": ["catalogue:read"]}
        key = httpx.post(f"{url}/api/v1/me/api-keys", json=wanted, headers=headers).json()["key"]
        httpx.get(f"{url}/api/v1/me", headers=bearer(key))
        refresh = {"refresh_token": tokens["refresh_token"]}
        httpx.post(f"{url}/api/v1/auth/refresh", json=refresh)
        refused = httpx.post(f"{url}/api/v1/auth/login", json={"email": "typed-secret"})
        assert (refused.status_code, "typed-secret" in refused.text) == (422, False)
        httpx.post(f"{url}/api/v1/auth/login", json={**given, "password": "typed-secret"})
        server.terminate()
        said, _ = server.communicate(timeout=60)
    lines = [json.loads(line) for line in said.splitlines()]
    assert {"/api/v1/auth/login", "/api/v1/me"} <= {line.get("path") for line in lines}
    for line in lines:
        assert line.get("request_id") or line["logger"] != "app.access"
    secret = (PASSWORD, "typed-secret", tokens["access_token"], tokens["refresh_token"], key)
    assert [text for text in secret if text in said] == []


def test_metrics_name_routes_and_stores(replica: TestClient, admin: Person) -> None:
    # A busy machine may have met a connection that took too long, which counts as one.
    errors = [line for line in replica.get("/metrics").text.splitlines() if STORE_ERRORS in line]
    assert len(errors) == 2
    program(admin, "catalogue:read").get("/teams/search")
    replica.get("/no/such/path")
    text = replica.get("/metrics").text
    counted = 'portal_requests_total{method="GET",route="/api/v1/teams/{name}",status="200"}'
    assert f"{counted} " in text
    assert 'portal_request_seconds_count{method="GET",route="/api/v1/teams/{name}"} ' in text
    assert 'portal_requests_total{method="GET",route="none",status="404"} 1.0' in text
    assert "no/such/path" not in text
    assert "portal_database_connections_in_use 0.0" in text
    assert "portal_database_connections_limit 5.0" in text
    assert [line for line in text.splitlines() if STORE_ERRORS in line] == errors
