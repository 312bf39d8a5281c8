"""The catalogue on a real PostgreSQL and Redis: changes, who may make them, what they leave."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from app.openapi.diff import diff_documents
from tests.support.portal_client import Person, log_in, problem, program, run_replica
from tests.support.portal_process import ask

Environment = Mapping[str, str]
Json = dict[str, Any]


@pytest.fixture(scope="module")
def replica(portal_environment: Environment) -> Iterator[TestClient]:
    with run_replica(portal_environment) as client:
        yield client


@pytest.fixture(scope="module")
def other(portal_environment: Environment) -> Iterator[TestClient]:
    """Another replica on the same stores."""
    with run_replica(portal_environment) as client:
        yield client


@pytest.fixture(scope="module")
def paula(replica: TestClient) -> Person:
    """Of the team payments."""
    return log_in(replica, "paula@example.com")


@pytest.fixture(scope="module")
def olga(replica: TestClient) -> Person:
    """Of the team platform."""
    return log_in(replica, "olga@example.com")


def new(name: str, **more: Any) -> Json:
    return {"kind": "component", "name": name, "title": name.title(), "owner": "payments", **more}


def put(person: Person, path: str, body: Any, etag: str | None = None) -> httpx.Response:
    return send(person, "PUT", path, etag, json=body)


def send(
    person: Person, method: str, path: str, etag: str | None = None, **options: Any
) -> httpx.Response:
    headers = {**person.headers, **({"If-Match": etag} if etag else {})}
    return person.client.request(method, f"/api/v1/entities{path}", headers=headers, **options)


def add(person: Person, name: str, **more: Any) -> tuple[str, str]:
    """A new component's path and ETag."""
    answer = person.post("/entities", new(name, **more))
    assert answer.status_code == 201, answer.text
    place = answer.headers["location"].removeprefix("/api/v1/entities")
    return place, answer.headers["etag"]


def change(title: str, **more: Any) -> Json:
    return {"title": title, "owner": "payments", **more}


def events(environment: Environment, target: str) -> list[tuple[Any, ...]]:
    query = f"select actor, action, detail from audit_event where target = '{target}' order by id"
    return ask(environment, query)


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
        "Read it again, and send the change for what is there now.",
    )
    # Nginx weakens the tag of what it compresses.
    assert put(paula, path, change("Three"), f"W/{second}").status_code == 200
    assert send(paula, "DELETE", path, second).status_code == 412
    assert send(paula, "DELETE", path, "*").status_code == 204
    assert send(paula, "GET", path).status_code == 404


def test_entity_that_is_made_again_is_another_version(paula: Person) -> None:
    path, first = add(paula, "again")
    assert send(paula, "DELETE", path, first).status_code == 204
    _, second = add(paula, "again")
    assert first != second


def test_client_that_has_the_current_version_is_told_so(paula: Person) -> None:
    path, etag = add(paula, "conditional")
    for known in (etag, f'"other", W/{etag}', "*"):
        headers = {**paula.headers, "If-None-Match": known}
        answer = paula.client.get(f"/api/v1/entities{path}", headers=headers)
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)


def test_second_entity_of_a_key_is_refused(paula: Person) -> None:
    add(paula, "single")
    assert problem(paula.post("/entities", new("single"))) == (
        409,
        "component:default/single: should be a new entity (it exists)",
    )


def test_change_is_audited_with_what_it_changed(
    paula: Person, portal_environment: Environment
) -> None:
    path, etag = add(paula, "audited")
    etag = put(paula, path, change("After", tags=["new"]), etag).headers["etag"]
    assert put(paula, path, change("After", tags=["new"]), etag).headers["etag"] == etag
    target = "component:default/audited"
    [created, changed] = events(portal_environment, target)
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


def test_only_the_owning_team_changes_an_entity(paula: Person, olga: Person) -> None:
    path, etag = add(paula, "guarded")
    refused = (403, "only members of the team 'payments' may do this")
    page = {"title": "T", "markdown": "x"}
    relation = f"{path}/relations/depends_on/api/default/portal-api"
    for answer in (
        put(olga, path, {**change("X"), "owner": "platform"}, etag),
        send(olga, "DELETE", path, etag),
        put(olga, f"{path}/pages/mine", page),
        put(olga, f"{path}/versions/1", {}),
        put(olga, relation, None),
        olga.post("/entities", new("stolen")),
    ):
        assert problem(answer) == refused


def test_moving_to_another_team_needs_rights_on_both(paula: Person, replica: TestClient) -> None:
    path, etag = add(paula, "moved")
    away = change("Moved", owner="platform")
    assert problem(put(paula, path, away, etag)) == (
        403,
        "only members of the team 'platform' may do this",
    )
    admin = log_in(replica, "admin@example.com")
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
        ("links", [{"url": "data:text/html,x"}]),
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


def test_deep_and_endless_values_are_refused(paula: Person) -> None:
    deep = '{"a":' * 30 + "1" + "}" * 30
    for spec in (deep, '{"a": 1e999}', '{"a": NaN}'):
        body = json.dumps(new("refused"))[:-1] + f', "spec": {spec}}}'
        headers = {**paula.headers, "Content-Type": "application/json"}
        answer = paula.client.post("/api/v1/entities", content=body, headers=headers)
        assert answer.status_code == 422, spec


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


def test_change_shows_on_another_replica_at_once(
    paula: Person, replica: TestClient, other: TestClient
) -> None:
    path, etag = add(paula, "replicated")
    there = paula.at(other)
    for number in range(10):
        assert send(there, "GET", path).headers["etag"] == etag
        listed = there.get("/entities", params={"kind": "component", "limit": 200}).json()
        title = f"Number {number}"
        etag = put(paula, path, change(title), etag).headers["etag"]
        assert send(there, "GET", path).json()["title"] == title
        listed = there.get("/entities", params={"kind": "component", "limit": 200}).json()
        assert title in [item["title"] for item in listed["items"]]


def test_relations_lead_both_ways_and_are_audited(
    paula: Person, portal_environment: Environment
) -> None:
    path, _ = add(paula, "related")
    edge = f"{path}/relations/consumes/api/default/ledger-api"
    assert [send(paula, "PUT", edge).status_code for _ in range(2)] == [204, 204]
    outgoing = send(paula, "GET", f"{path}/relations").json()["outgoing"]
    ledger = {"kind": "api", "namespace": "default", "name": "ledger-api", "title": "Ledger API"}
    assert outgoing == [{"type": "consumes", "entity": ledger}]
    incoming = paula.get("/entities/api/default/ledger-api/relations").json()["incoming"]
    assert "related" in [edge["entity"]["name"] for edge in incoming]
    assert [send(paula, "DELETE", edge).status_code for _ in range(2)] == [204, 404]
    itself = f"{path}/relations/depends_on{path}"
    assert problem(send(paula, "PUT", itself)) == (
        422,
        "component:default/related: should not have a relation to itself",
    )
    actions = [event[1] for event in events(portal_environment, "component:default/related")]
    assert actions == ["entity.create", "relation.create", "relation.delete"]


def test_page_is_written_once_and_replaced_by_its_version(paula: Person) -> None:
    path, _ = add(paula, "documented")
    place = f"{path}/pages/runbook"
    body = {"title": "Runbook", "markdown": "# Hi\n<script>x</script>"}
    written = put(paula, place, body)
    assert (written.status_code, written.json()["html"]) == (
        201,
        "<h1>Hi</h1>\n<p>&lt;script&gt;x&lt;/script&gt;</p>\n",
    )
    tag = written.headers["etag"]
    assert problem(put(paula, place, body)) == (
        428,
        f"If-Match: should name the version to be replaced; it is {tag} now",
    )
    newer = put(paula, place, {**body, "title": "Newer"}, tag)
    assert (newer.status_code, newer.json()["version"]) == (200, 2)
    assert put(paula, place, body, tag).status_code == 412
    assert send(paula, "DELETE", place, newer.headers["etag"]).status_code == 204


OPENAPI: Json = {
    "openapi": "3.1.0",
    "info": {"title": "Orders", "version": "1"},
    "paths": {"/orders": {"get": {"responses": {"200": {"description": "ok"}}}}},
}


def test_document_is_stored_once_and_goes_with_its_last_version(
    paula: Person, portal_environment: Environment
) -> None:
    path, etag = add(paula, "published", kind="api")
    body = {**OPENAPI, "info": {"title": "Zanzibar", "version": "1"}}
    put(paula, f"{path}/versions/1", body)
    as_yaml = (
        "openapi: 3.1.0\ninfo: {title: Zanzibar, version: '1'}\n"
        "paths:\n  /orders: {get: {responses: {200: {description: ok}}}}\n"
    )
    second = send(paula, "PUT", f"{path}/versions/2", content=as_yaml.encode())
    assert second.status_code == 201, second.text
    count = "select count(*) from api_content where title = 'Zanzibar'"
    assert ask(portal_environment, count) == [(1,)]
    assert send(paula, "GET", f"{path}/versions/2").json() == body
    assert put(paula, f"{path}/versions/1", body).status_code == 200
    other = {**body, "paths": {}}
    assert put(paula, f"{path}/versions/1", other).status_code == 428
    assert put(paula, f"{path}/versions/1", other, second.headers["etag"]).status_code == 200
    assert send(paula, "DELETE", path, etag).status_code == 204
    assert ask(portal_environment, count) == [(0,)]


def test_difference_of_two_versions_is_told(paula: Person) -> None:
    place = "/entities/api/default/checkout-api"
    old, new = (paula.get(f"{place}/versions/{v}").json() for v in ("1.4.0", "2.0.0"))
    told = paula.get(f"{place}/diff", params={"from": "1.4.0", "to": "2.0.0"}).json()
    expected = diff_documents(old, new)
    assert len(told["breaking"]) == sum(change.breaking for change in expected) > 5
    assert len(told["non_breaking"]) == sum(not change.breaking for change in expected) > 5
    assert (told["compatible"], told["truncated"]) == (False, False)


@pytest.mark.parametrize(
    ("document", "mistake"),
    [
        ("[]", "the document should be an object"),
        ("{", "line 1, column 2: should be JSON"),
        ("openapi: 2.0.0", "openapi: should be 3.0.x or 3.1.x (got '2.0.0')"),
        ("a: &a [*a]", "line 1: should not refer to itself or to nothing"),
        ("!!python/object/apply:os.system [x]", "line 1, column 1: should be YAML"),
        (
            json.dumps({**OPENAPI, "paths": {"/a": {"$ref": "http://169.254.169.254/"}}}),
            "#/paths/~1a/$ref: should lead to a place in this document",
        ),
        (
            json.dumps({**OPENAPI, "paths": {"/a": {"$ref": "file:///etc/passwd"}}}),
            "#/paths/~1a/$ref: should lead to a place in this document",
        ),
        (json.dumps({**OPENAPI, "info": {}}), "info: "),
        (
            json.dumps({**OPENAPI, "paths": {"/a/{b}": OPENAPI["paths"]["/orders"]}}),
            "GET /a/{b}: should declare the path parameter 'b'",
        ),
    ],
)
def test_document_that_is_not_openapi_is_refused_by_name(
    paula: Person, document: str, mistake: str
) -> None:
    place = "/api/default/ledger-api/versions/bad"
    answer = send(paula, "PUT", place, content=document.encode())
    status, detail = problem(answer)
    assert status == 422
    assert detail.startswith(mistake)


def test_aliases_that_grow_without_bound_are_refused(paula: Person) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    bomb = "\n".join(lines).encode()
    for answer in (
        send(paula, "PUT", "/api/default/ledger-api/versions/bomb", content=bomb),
        send(paula, "POST", "/import", content=bomb),
    ):
        assert problem(answer) == (422, "line 6: should have at most 1000000 values in all")


def test_document_of_ten_megabytes_is_taken_and_a_larger_one_is_not(paula: Person) -> None:
    path, _ = add(paula, "large", kind="api")
    text = "x" * 9000
    paths = {
        f"/p{n}": {"get": {"description": text, "responses": {"200": {"description": "ok"}}}}
        for n in range(1150)
    }
    large = json.dumps({**OPENAPI, "paths": paths})
    assert 10_300_000 < len(large) < 10 * 1024 * 1024
    taken = send(paula, "PUT", f"{path}/versions/1", content=large.encode())
    assert taken.status_code == 201, taken.text
    padding = b" " * (10 * 1024 * 1024 + 1 - len(large))
    refused = send(paula, "PUT", f"{path}/versions/2", content=large.encode() + padding)
    assert problem(refused) == (413, "the body should have at most 10485760 bytes")


FILE = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: imported, tags: [java], links: [{url: "https://a.example", icon: x}]}
spec: {type: service, owner: "group:default/payments", lifecycle: production, system: checkout,
  providesApis: [imported-api], dependsOn: ["resource:default/orders-database"]}
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: imported-api, title: Imported API}
spec:
  type: openapi
  owner: payments
  lifecycle: experimental
  definition: |
    {openapi: 3.0.3, info: {title: Imported, version: 1.2.0}, paths: {}}
"""


def import_file(person: Person, text: str) -> httpx.Response:
    return send(person, "POST", "/import", content=text.encode())


def results(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["result"] for item in answer.json()["items"]]


def test_import_brings_entities_relations_and_documents_once(
    paula: Person, portal_environment: Environment
) -> None:
    assert results(import_file(paula, FILE)) == ["created", "created"]
    count = "select count(*) from audit_event"
    before = ask(portal_environment, count)
    assert results(import_file(paula, FILE)) == ["unchanged", "unchanged"]
    assert ask(portal_environment, count) == before
    related = send(paula, "GET", "/component/default/imported/relations").json()["outgoing"]
    assert [(edge["type"], edge["entity"]["name"]) for edge in related] == [
        ("depends_on", "orders-database"),
        ("part_of", "checkout"),
        ("provides", "imported-api"),
    ]
    versions = send(paula, "GET", "/api/default/imported-api/versions").json()["items"]
    assert [version["version"] for version in versions] == ["1.2.0"]
    fewer = FILE.replace("system: checkout,", "").replace("tags: [java]", "tags: [go]")
    assert results(import_file(paula, fewer)) == ["updated", "unchanged"]


def test_import_names_every_mistake_and_brings_nothing(paula: Person) -> None:
    bad = (
        FILE.replace("imported", "broken")
        .replace("orders-database", "nothing")
        .replace("owner: payments", "owner: 'user:jane'")
        .replace("openapi: 3.0.3", "openapi: 9")
        + "---\nkind: Location\n---\n[]\n"
    )
    answer = import_file(paula, bad)
    assert problem(answer) == (
        422,
        "document 2: spec.owner: should name a team, like group:default/platform "
        "(got 'user:jane'); "
        "document 3: apiVersion: should be backstage.io/v1alpha1 (got nothing); "
        "document 3: metadata: should be a mapping (got nothing); "
        "document 3: spec: should be a mapping (got nothing); "
        "document 3: spec.owner: should name a team, like group:default/platform (got nothing); "
        "document 3: metadata.title: should be a valid string (got nothing); "
        "document 3: kind: should be 'component', 'api', 'resource' or 'system' "
        "(got 'location'); "
        "document 3: metadata.name: should be a valid string (got nothing); "
        "document 4: should be a mapping",
    )
    good_shape = FILE.replace("imported", "broken").replace("orders-database", "nothing")
    assert problem(import_file(paula, good_shape)) == (
        422,
        "document 1: spec.dependsOn[0]: should name an entity that exists "
        "(got 'resource:default/nothing')",
    )
    assert send(paula, "GET", "/component/default/broken").status_code == 404


def test_import_of_another_teams_entity_is_refused_as_a_whole(olga: Person) -> None:
    mine = FILE.replace("imported", "olgas").replace("payments", "platform")
    theirs = FILE.replace("imported", "foreign")
    assert problem(import_file(olga, f"{mine}---\n{theirs}")) == (
        403,
        "document 3: only members of the team 'payments' may change component:default/foreign",
    )
    assert send(olga, "GET", "/component/default/olgas").status_code == 404


@pytest.mark.parametrize("text", ["", "---\n---\n", "{", "a: b: c", "\x00"])
def test_broken_file_is_refused(paula: Person, text: str) -> None:
    assert problem(import_file(paula, text))[0] == 422


def test_search_finds_entities_documents_and_pages(paula: Person) -> None:
    def found(q: str, **more: Any) -> list[tuple[str, str, str | None]]:
        page = paula.get("/search", params={"q": q, **more}).json()
        return [(hit["type"], hit["name"], hit["part"]) for hit in page["items"]]

    assert found("ledger-api")[0] == ("entity", "ledger-api", None)
    assert ("entity", "ledger", None) in found("ledg")
    assert found("bookkeeping money")[0][1] in ("ledger", "ledger-api")
    assert found("listPostings") == [("api_document", "ledger-api", "1.1.0")]
    assert found("accounting rul") == [("page", "ledger", "accounting-rules")]
    assert found("the idempotency key", kind="api") == [("page", "checkout-api", "migrating-to-2")]
    assert found("nothing-has-this-word") == found("!!!") == found("") == []


def test_search_marks_what_fits_and_nothing_else_is_html(paula: Person) -> None:
    text = "<img src=x onerror=alert(1)> xylophone \ue000sneaky\ue001 & more"
    add(paula, "marked", description=text)
    [hit] = paula.get("/search", params={"q": "xylopho"}).json()["items"]
    assert "<mark>xylophone</mark> sneaky &amp; more" in hit["highlight"]
    assert "<" not in hit["highlight"].replace("<mark>", "").replace("</mark>", "")


def test_search_goes_on_behind_its_cursor(paula: Person) -> None:
    first = paula.get("/search", params={"q": "a", "limit": 3}).json()
    asked = {"q": "a", "limit": 3, "cursor": first["next_cursor"]}
    second = paula.get("/search", params=asked).json()
    seen = [(hit["type"], hit["name"], hit["part"]) for hit in first["items"] + second["items"]]
    assert len(set(seen)) == 6
    assert paula.get("/search", params={**asked, "q": "b"}).status_code == 404


def test_key_that_only_reads_changes_nothing(paula: Person) -> None:
    reader = program(paula, "catalogue:read")
    assert reader.get("/entities").status_code == 200
    assert reader.post("/entities", new("by-a-key")).status_code == 403
    assert program(paula, "catalogue:write").post("/entities", new("by-a-key")).status_code == 201


def test_of_writers_at_the_same_time_one_wins(paula: Person, other: TestClient) -> None:
    path, etag = add(paula, "contended")
    people = [paula, paula.at(other)] * 4

    async def race() -> list[int]:
        sent = (
            asyncio.to_thread(put, person, path, change(f"Writer {number}"), etag)
            for number, person in enumerate(people)
        )
        return [answer.status_code for answer in await asyncio.gather(*sent)]

    assert sorted(asyncio.run(race())) == [200, *[412] * 7]


def test_body_that_is_no_text_is_refused_like_any_other_that_is_no_json(paula: Person) -> None:
    headers = {**paula.headers, "Content-Type": "application/json"}
    for body in (b"\xff", b"{"):
        answer = paula.client.post("/api/v1/entities", content=body, headers=headers)
        assert problem(answer)[0] == 422


def test_relation_to_what_is_not_there_is_refused(paula: Person) -> None:
    path, _ = add(paula, "alone")
    answer = send(paula, "PUT", f"{path}/relations/depends_on/api/default/nothing")
    assert problem(answer) == (404, "there is no api 'default/nothing'")
