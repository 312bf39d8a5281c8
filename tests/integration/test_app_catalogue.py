"""Entities on a real PostgreSQL and Redis: changes, who may make them, what they leave."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest
from fastapi.testclient import TestClient

from tests.support.portal_client import Person, add, change, events, new, problem, put, send
from tests.support.portal_process import Environment, ask
from tests.support.waiting import wait_for


def test_change_needs_the_version_it_is_of(paula: Person) -> None:
    path, first = add(paula, "versioned")
    assert problem(put(paula, path, change("One"))) == (
        428,
        "If-Match: should name the version to be changed (got nothing). Read it first.",
    )
    second = put(paula, path, change("Two"), first).headers["etag"]
    stale = put(paula, path, change("Three"), first)
    assert problem(stale) == (
        412,
        f"If-Match: should be the current {second} (got {first}). "
        "Read it again, and send the change for the current version.",
    )
    # Nginx weakens the tag of what it compresses.
    assert put(paula, path, change("Three"), f"W/{second}").status_code == 200
    assert send(paula, "DELETE", path, second).status_code == 412
    assert send(paula, "DELETE", path, "*").status_code == 204
    assert send(paula, "GET", path).status_code == 404
    # Made again, it is another one.
    assert add(paula, "versioned")[1] != first


def test_client_that_has_the_current_version_is_told_so(paula: Person) -> None:
    path, etag = add(paula, "conditional")
    for known in (etag, f'"other", W/{etag}', "*"):
        headers = {**paula.headers, "If-None-Match": known}
        answer = paula.client.get(f"/api/v1/entities{path}", headers=headers)
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)


def test_change_is_audited_with_what_it_changed(paula: Person, environment: Environment) -> None:
    path, etag = add(paula, "audited")
    etag = put(paula, path, change("After", tags=["new"]), etag).headers["etag"]
    assert put(paula, path, change("After", tags=["new"]), etag).headers["etag"] == etag
    target = "component:default/audited"
    [created, changed] = events(environment, target)
    assert created[:2] == ("paula@example.com", "entity.create")
    assert changed == (
        "paula@example.com",
        "entity.update",
        {
            "changed": {
                "title": {"before": "Audited", "after": "After"},
                "tags": {"before": [], "after": ["new"]},
            }
        },
    )


def test_moving_to_another_team_needs_rights_on_both(paula: Person, admin: Person) -> None:
    path, etag = add(paula, "moved")
    away = change("Moved", owner="platform")
    assert problem(put(paula, path, away, etag)) == (
        403,
        "only members of the team 'platform' may do this",
    )
    assert put(admin, path, away, etag).json()["owner"] == "platform"
    unknown = put(admin, path, change("Moved", owner="nobody"), "*")
    assert problem(unknown) == (422, "owner: should name a team that exists (got 'nobody')")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "-starts-with-a-dash"),
        ("name", "n" * 64),
        ("namespace", "Upper"),
        ("title", "line\nbreak"),
        ("description", "NUL \0"),
        ("tags", ["Upper"]),
        ("links", [{"url": "javascript:alert(1)"}]),
        ("links", [{"url": "https://user:pw@a.example"}]),
        ("spec", {"a": "x" * 70_000}),
        ("spec", {"a": "\ud800"}),
        ("surprise", 1),
    ],
)
def test_what_breaks_a_rule_is_refused(paula: Person, field: str, value: Any) -> None:
    body = json.dumps(new("refused", **{field: value}) if field != "name" else new(value))
    headers = {**paula.headers, "Content-Type": "application/json"}
    answer = paula.client.post("/api/v1/entities", content=body, headers=headers)
    status, detail = problem(answer)
    assert status == 422
    assert detail.startswith(f"body.{field}")


def test_body_that_is_no_plain_json_is_refused(paula: Person) -> None:
    deep, entry = '{"a":' * 30 + "1" + "}" * 30, json.dumps(new("refused"))[:-1]
    bodies = [f'{entry}, "spec": {spec}}}' for spec in (deep, '{"a": 1e999}', '{"a": NaN}')]
    headers = {**paula.headers, "Content-Type": "application/json"}
    for body in (*map(str.encode, bodies), b"{", b"\xff"):
        answer = paula.client.post("/api/v1/entities", content=body, headers=headers)
        assert problem(answer)[0] == 422, body


def test_list_is_narrowed_and_shows_the_fields_that_were_asked_for(paula: Person) -> None:
    add(paula, "narrow-1", lifecycle="experimental", tags=["narrow"], namespace="team-a")
    add(paula, "narrow-2", tags=["narrow"])

    def names(**conditions: str) -> list[str]:
        found = paula.get("/entities", params={"tag": "narrow", **conditions}).json()
        return [item["name"] for item in found["items"]]

    assert names() == ["narrow-2", "narrow-1"]
    assert names(lifecycle="experimental") == names(namespace="team-a") == ["narrow-1"]
    assert names(owner="platform") == names(kind="api") == []
    asked = {"tag": "narrow", "limit": 1, "fields": ["owner", "spec"]}
    page = paula.get("/entities", params=asked).json()
    key = {"kind": "component", "namespace": "default", "name": "narrow-2"}
    assert page["items"] == [{**key, "owner": "payments", "spec": {}}]


def test_cursor_is_good_for_its_own_list_alone(paula: Person) -> None:
    cursor = paula.get("/entities", params={"limit": 1, "kind": "api"}).json()["next_cursor"]
    assert paula.get("/entities", params={"kind": "api", "cursor": cursor}).status_code == 200
    forged = cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")
    for asked in ({"cursor": cursor}, {"kind": "api", "cursor": forged}, {"cursor": "é"}):
        assert problem(paula.get("/entities", params=asked)) == (
            404,
            "there is no page with this cursor; start again without one",
        )


def test_of_writers_at_the_same_time_one_wins(paula: Person, other: TestClient) -> None:
    path, etag = add(paula, "contended")
    people = [paula, paula.at(other)] * 4

    def write(person: Person, number: int) -> int:
        # Each needs a connection of its own at once, which may take too long.
        while (status := put(person, path, change(f"Writer {number}"), etag).status_code) == 503:
            pass
        return status

    async def race() -> list[int]:
        sent = (asyncio.to_thread(write, person, number) for number, person in enumerate(people))
        return list(await asyncio.gather(*sent))

    assert sorted(asyncio.run(race())) == [200, *[412] * 7]


def test_team_that_comes_to_own_something_meanwhile_is_not_removed(
    admin: Person, environment: Environment
) -> None:
    assert admin.post("/teams", {"name": "brief", "title": "Brief"}).status_code == 201
    with (
        ThreadPoolExecutor() as threads,
        psycopg.connect(environment["MIGRATION_DATABASE_URL"]) as creating,
    ):
        creating.execute(
            "insert into entity (kind, namespace, name, title, owner_id)"
            " select 'api', 'default', 'brief-api', 'Brief', id from team where name = 'brief'"
        )
        removed = threads.submit(admin.ask, "DELETE", "/teams/brief")
        waiting = (
            "select 1 from pg_locks join pg_stat_activity using (pid)"
            " where not granted and datname = current_database()"
        )
        wait_for(lambda: bool(ask(environment, waiting)))
        creating.commit()
        said = "the team owns entities: give them to another team first"
        assert problem(removed.result()) == (409, said)


def test_team_may_be_removed_while_its_members_change(admin: Person, other: TestClient) -> None:
    """Both hold the team first, then its members: the other way round one waits for the other."""
    there, place = admin.at(other), "/teams/fleeting/members/paula@example.com"
    with ThreadPoolExecutor() as threads:
        for _ in range(20):
            admin.post("/teams", {"name": "fleeting", "title": "Fleeting"})
            admin.ask("PUT", place, json={"role": "member"})
            changed = threads.submit(there.ask, "PUT", place, json={"role": "owner"})
            removed = admin.ask("DELETE", "/teams/fleeting")
            assert removed.status_code == 204
            assert changed.result().status_code in (204, 404)


def read(person: Person, path: str, etag: str) -> httpx.Response:
    """Read what may have changed since."""
    headers = {**person.headers, "If-None-Match": etag}
    return person.client.get(f"/api/v1/entities{path}", headers=headers)


def test_written_entity_is_read_anew_from_the_other_replica(
    paula: Person, other: TestClient
) -> None:
    there = paula.at(other)
    path, etag = add(paula, "between-replicas")
    for number in range(20):
        assert read(there, path, etag).status_code == 304
        title, stale = f"Number {number}", etag
        etag = put(paula, path, change(title), stale).headers["etag"]
        answer = read(there, path, stale)
        assert (answer.status_code, answer.headers["etag"]) == (200, etag)
        assert answer.json()["title"] == title
    assert send(paula, "DELETE", path, etag).status_code == 204
    assert read(there, path, etag).status_code == 404


def test_written_list_page_and_relation_show_on_the_other_replica(
    paula: Person, other: TestClient
) -> None:
    there = paula.at(other)
    path, _ = add(paula, "parts")
    place, relations = f"{path}/pages/runbook", f"{path}/relations"
    known = read(there, relations, '"none"').headers["etag"]
    listed = read(there, "?namespace=default", '"none"').headers["etag"]
    for title in ("First", "Second"):
        put(paula, place, {"title": title, "markdown": "# Text"}, "*" if title != "First" else None)
        assert send(there, "GET", place).json()["title"] == title
    assert send(paula, "PUT", f"{relations}/part_of/system/default/checkout").status_code == 204
    assert len(read(there, relations, known).json()["outgoing"]) == 1
    add(paula, "one-more")
    names = [item["name"] for item in read(there, "?namespace=default", listed).json()["items"]]
    assert "one-more" in names
