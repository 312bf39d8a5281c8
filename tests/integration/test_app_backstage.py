"""Catalogues as Backstage has them: every kind, who may bring it, and many at once."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event

from tests.support.portal_client import Json, Person, log_in, problem, program, send
from tests.support.portal_process import Environment, ask

ORGANISATION = """\
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: Film-Club, description: Films}
spec: {type: team, profile: {displayName: Film club}, children: [], members: [mona, nobody]}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: mona}
spec: {profile: {displayName: Mona, email: Mona@example.com}, memberOf: [film-club, other/club]}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: paula}
spec: {profile: {email: paula@example.com}, memberOf: [film-club]}
"""
CATALOGUE = """\
apiVersion: backstage.io/v1alpha1
kind: Domain
metadata: {name: films, links: [{url: "https://films.example", icon: web, type: site}]}
spec: {owner: film-club, subdomainOf: culture}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: Player
  annotations: {backstage.io/source-location: "url:https://git.example/player/"}
  labels: {tier: "1"}
spec: {type: service, lifecycle: production, owner: "user:mona", dependsOn: ["resource:reels"]}
---
apiVersion: backstage.io/v1alpha1
kind: Location
metadata: {name: more}
spec: {targets: [./more.yaml]}
---
apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: {name: new-film}
"""
REELS = """\
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {name: Reels}
spec: {type: database, owner: film-club, dependencyOf: ["component:player", "component:later"]}
"""


def bring(person: Person, text: str, **query: Any) -> Json:
    answer = send(person, "POST", "/import", content=text.encode(), params=query)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def results(found: Json) -> list[tuple[str, str, str]]:
    return [(item["kind"], item["name"], item["result"]) for item in found["items"]]


def edges(person: Person, path: str) -> dict[str, list[tuple[str, str, bool]]]:
    """What leads from an entity and to it, and whether the other end is there."""
    found = send(person, "GET", f"{path}/relations").json()
    return {
        side: [(e["type"], e["entity"]["name"], e["entity"]["exists"]) for e in found[side]]
        for side in ("outgoing", "incoming")
    }


def test_groups_and_users_become_teams_and_members_for_an_administrator(
    admin: Person, environment: Environment
) -> None:
    query = "select count(*) from audit_event"
    before = ask(environment, query)
    tried = bring(admin, ORGANISATION, dry_run="true")
    assert ask(environment, query) == before
    assert admin.get("/teams/film-club").status_code == 404
    found = bring(admin, ORGANISATION)
    assert {**tried, "dry_run": False} == found
    assert results(found) == [
        ("group", "Film-Club", "created"),
        ("user", "mona", "created"),
        ("user", "paula", "updated"),
    ]
    assert found["warnings"] == [
        "document 1: not kept: spec.type, spec.children",
        "document 1: spec.members[1]: no account is known as 'nobody'. Import its User as well",
        "document 2: spec.memberOf[1]: the team 'other:club' is new, and nothing else is known "
        "of it",
    ]
    team = admin.get("/teams/film-club").json()
    assert (team["title"], team["description"]) == ("Film club", "Films")
    assert [(one["email"], one["role"]) for one in team["members"]] == [
        ("mona@example.com", "member"),
        ("paula@example.com", "member"),
    ]
    assert "film-club" in log_in(admin.client, "paula@example.com").get("/me").json()["teams"]
    assert {result for *_, result in results(bring(admin, ORGANISATION))} == {"unchanged"}


def test_file_with_people_may_come_after_what_they_own(admin: Person) -> None:
    head = "apiVersion: backstage.io/v1alpha1"
    owned = f"{head}\nkind: API\nmetadata: {{name: solo}}\nspec: {{owner: 'user:Solo'}}"
    rule = "no account is known as 'solo'. Import its User as well"
    assert bring(admin, owned)["warnings"] == [f"document 1: spec.owner: {rule}"]
    email = "profile: {email: solo@example.com}"
    person = f"{head}\nkind: User\nmetadata: {{name: solo}}\nspec: {{{email}}}"
    assert results(bring(admin, person)) == [("user", "solo", "created")]
    [member] = admin.get("/teams/@solo").json()["members"]
    assert (member["email"], member["role"]) == ("solo@example.com", "owner")
    moved = bring(admin, person.replace("solo@", "moved@"))
    assert results(moved) == [("user", "solo", "skipped")]
    rule = "spec.profile.email: 'solo' has another address here"
    assert moved["warnings"] == [f"document 1: {rule}"]


_ADA = """\
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: ada}
spec: {profile: {email: ada@films.example}, memberOf: ["@ada"]}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: diary}
spec: {type: service, lifecycle: production, owner: "user:ada"}
"""


def test_who_is_named_twice_for_a_team_is_in_it_once_with_the_first_role(admin: Person) -> None:
    bring(admin, _ADA)
    members = admin.get("/teams/@ada").json()["members"]
    assert [(one["email"], one["role"]) for one in members] == [("ada@films.example", "owner")]


def test_organisation_of_thousands_of_memberships_is_imported_at_once(admin: Person) -> None:
    head = "apiVersion: backstage.io/v1alpha1\nkind: {}\nmetadata: {{name: {}}}\nspec: {}\n"
    groups = [head.format("Group", f"crew-{n}", "{}") for n in range(100)]
    users = [
        head.format(
            "User",
            f"hand-{n}",
            f"{{profile: {{email: hand-{n}@films.example}}, "
            f"memberOf: [{', '.join(f'crew-{(n + k) % 100}' for k in range(5))}]}}",
        )
        for n in range(1700)
    ]
    found = bring(admin, "---\n".join([*groups, *users]), dry_run="true")
    assert Counter(item["result"] for item in found["items"]) == {"created": 1800}


def test_nobody_knows_the_password_of_an_imported_account(replica: TestClient) -> None:
    for password in ("", "nobody's", "a" * 12):
        given = {"email": "mona@example.com", "password": password}
        assert replica.post("/api/v1/auth/login", json=given).status_code in (401, 422)


def test_groups_and_users_are_skipped_for_everybody_else(admin: Person, paula: Person) -> None:
    text = ORGANISATION.replace("film-club", "secret").replace("Film-Club", "secret")
    for person in (paula, program(admin, "catalogue:read", "catalogue:write")):
        found = bring(person, text)
        assert {result for *_, result in results(found)} == {"skipped"}
        rule = "kind: skipped: only an administrator who is signed in imports groups and users"
        said = [f"document {number}: {rule}" for number in (1, 2, 3)]
        assert [warning for warning in found["warnings"] if "skipped" in warning] == said
        assert admin.get("/teams/secret").status_code == 404


def test_catalogue_comes_in_with_relations_to_what_is_not_there_yet(admin: Person) -> None:
    tried = bring(admin, CATALOGUE, dry_run="true")
    assert send(admin, "GET", "/component/default/Player").status_code == 404
    found = bring(admin, CATALOGUE)
    assert {**tried, "dry_run": False} == found
    assert results(found) == [
        ("domain", "films", "created"),
        ("component", "Player", "created"),
        ("location", "more", "skipped"),
        ("template", "new-film", "skipped"),
    ]
    assert found["warnings"] == [
        "document 3: kind: skipped: an import reads no other file. Import what it names: "
        "./more.yaml",
        "document 4: kind: skipped: the portal has no kind 'Template'",
    ]
    domain = send(admin, "GET", "/domain/default/films").json()
    assert domain["links"] == [
        {"url": "https://films.example", "title": "", "icon": "web", "type": "site"}
    ]
    player = send(admin, "GET", "/component/default/Player").json()
    assert player["owner"] == "@mona"
    assert player["labels"] == {"tier": "1"}
    assert player["annotations"] == {
        "backstage.io/source-location": "url:https://git.example/player/"
    }
    [member] = admin.get("/teams/@mona").json()["members"]
    assert (member["email"], member["role"]) == ("mona@example.com", "owner")
    assert edges(admin, "/component/default/Player") == {
        "outgoing": [("depends_on", "reels", False)],
        "incoming": [],
    }
    page = admin.client.get("/entities/component/default/Player", headers=admin.headers).text
    assert page.count("Not in the catalogue") == 1
    assert "/entities/resource/default/reels" not in page
    assert 'href="https://git.example/player/"' in page


def test_relations_are_whole_when_the_other_entity_comes(
    admin: Person, environment: Environment
) -> None:
    bring(admin, REELS)
    player = {"outgoing": [("depends_on", "Reels", True)], "incoming": []}
    assert edges(admin, "/component/default/Player") == player
    assert edges(admin, "/resource/default/Reels") == {
        "outgoing": [],
        "incoming": [("depends_on", "Player", True), ("depends_on", "later", False)],
    }
    count = "select count(*) from audit_event"
    before = ask(environment, count)
    again = bring(admin, f"{CATALOGUE}---\n{REELS}")
    assert {result for *_, result in results(again)} == {"unchanged", "skipped"}
    assert ask(environment, count) == before
    without = REELS.replace(', dependencyOf: ["component:player", "component:later"]', "")
    assert bring(admin, without)["items"][0]["changes"] == ["relations"]
    assert edges(admin, "/component/default/Player") == player
    path = "/component/default/Player/relations/depends_on/resource/default/Reels"
    assert send(admin, "DELETE", path).status_code == 204
    assert edges(admin, "/component/default/Player") == {"outgoing": [], "incoming": []}


def test_what_others_say_of_an_entity_outlives_it(paula: Person) -> None:
    bring(paula, many(2, name="left"))
    stated = {"outgoing": [("depends_on", "left-0", True)], "incoming": []}
    assert edges(paula, "/component/default/left-1") == stated
    assert send(paula, "DELETE", "/component/default/left-0", "*").status_code == 204
    stated["outgoing"] = [("depends_on", "left-0", False)]
    assert edges(paula, "/component/default/left-1") == stated


def test_names_that_differ_in_case_alone_are_one_entity(admin: Person) -> None:
    changed = REELS.replace("Reels", "REELS").replace("type: database", "type: archive")
    found = bring(admin, changed)
    assert results(found) == [("resource", "Reels", "updated")]
    assert found["warnings"] == ["document 1: metadata.name: stays 'Reels' (got 'REELS')"]
    body = {"kind": "resource", "name": "rEELS", "title": "R", "owner": "film-club"}
    assert problem(admin.post("/entities", body)) == (
        409,
        "resource:default/rEELS: should be a new entity (it exists)",
    )


def api(number: int, openapi: str = "3.0.3") -> str:
    document = f"{{openapi: {openapi}, info: {{title: A, version: '{number}'}}, paths: {{}}}}"
    head = "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata"
    spec = f'{{type: openapi, owner: payments, definition: "{document}"}}'
    return f"{head}: {{name: described-{number}}}\nspec: {spec}\n"


def test_documents_of_a_file_are_checked_in_one_process(
    paula: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Any] = []
    start = asyncio.create_subprocess_exec

    async def note(*arguments: Any, **options: Any) -> Any:
        started.append(arguments)
        return await start(*arguments, **options)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", note)
    broken = send(paula, "POST", "/import", content=f"{api(1)}---\n{api(2, '9')}".encode())
    rule = "openapi: should be 3.0.x or 3.1.x (got '9')"
    assert problem(broken) == (422, f"document 2: spec.definition: {rule}")
    text = "---\n".join(map(api, range(40)))
    assert {result for *_, result in results(bring(paula, text))} == {"created"}
    assert {result for *_, result in results(bring(paula, text))} == {"unchanged"}
    versions = send(paula, "GET", "/api/default/described-39/versions").json()["items"]
    assert [version["version"] for version in versions] == ["39"]
    assert len(started) == 3


def many(count: int, *, start: int = 0, name: str = "batch") -> str:
    """Components of which each depends on the one before."""
    before = [f"dependsOn: ['component:{name}-{n - 1}']" if n else "" for n in range(count)]
    return "---\n".join(
        "apiVersion: backstage.io/v1alpha1\nkind: Component\n"
        f"metadata: {{name: {name}-{n}, title: Batch {n}, tags: [t{n % 9}]}}\n"
        f"spec: {{type: service, owner: payments, {before[n]}}}\n"
        for n in range(start, count)
    )


@contextmanager
def statements() -> Iterator[Counter[str]]:
    """What is sent to the database meanwhile, by its first word."""
    sent = Counter[str]()

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        # Who asks is looked up, and uses of keys are written, from time to time.
        if "api_key" not in statement and "user_account" not in statement:
            sent[statement.split()[0]] += 1

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_import_takes_as_many_statements_for_many_entities_as_for_few(paula: Person) -> None:
    counts: list[Counter[str]] = []
    for size in (2, 500):
        for text in (many(size, name=f"s{size}"), many(size, name=f"s{size}").replace("[t", "[u")):
            with statements() as sent:
                found = bring(paula, text)
            assert len(found["items"]) == size
            counts.append(sent)
    assert counts[:2] == counts[2:]
    assert sum(counts[0].values()) < 15
    last = send(paula, "GET", "/component/default/s500-499").json()
    assert (last["version"], last["tags"]) == (2, ["u4"])
