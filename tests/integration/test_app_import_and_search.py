"""Import of catalog-info.yaml, and search, on real stores."""

import json
from typing import Any

import httpx
import pytest

from tests.support.api_documents import document
from tests.support.portal_client import Person, add, problem, send

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


def test_import_names_every_mistake_and_brings_nothing(paula: Person) -> None:
    bad = (
        FILE.replace("imported", "broken")
        .replace("orders-database", "nothing")
        .replace("owner: payments", "owner: 'robot:jane'")
        .replace("openapi: 3.0.3", "openapi: 9")
        + "---\nkind: Domain\n---\n[]\n"
    )
    answer = import_file(paula, bad)
    assert problem(answer) == (
        422,
        "document 2: spec.owner: should be like group:default/platform or "
        "user:default/ada (got 'robot:jane'); "
        "document 3: apiVersion: should be backstage.io/v1alpha1 (got nothing); "
        "document 3: metadata: should be a mapping (got nothing); "
        "document 3: spec: should be a mapping (got nothing); "
        "document 3: spec.owner: should be like group:default/platform or "
        "user:default/ada (got nothing); "
        "document 3: metadata.title: should be a valid string (got nothing); "
        "document 3: metadata.name: should be a valid string (got nothing); "
        "document 4: should be a mapping",
    )
    nobodys = FILE.replace("imported", "broken").replace("owner: payments", "owner: nobodys")
    assert problem(import_file(paula, nobodys)) == (
        422,
        "document 2: spec.owner: should name a team that exists (got 'nobodys')",
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


def test_search_finds_the_highest_version_that_matches(paula: Person) -> None:
    place, etag = add(paula, "searched-api", kind="api")
    for version in ("1.10.0", "1.9.0", "2.0.0-rc.1", "1.2.0"):
        paths = {"/zebras": {"get": {"summary": version, "responses": {}}}}
        paths["/zebras"]["get"]["responses"] = {"200": {"description": "ok"}}
        content = json.dumps(document(paths if version[0] == "1" else {}))
        made = send(paula, "PUT", f"{place}/versions/{version}", content=content.encode())
        assert made.status_code == 201, made.text
    [hit] = paula.get("/search", params={"q": "zebras"}).json()["items"]
    assert (hit["type"], hit["part"]) == ("api_document", "1.10.0")
    assert "<mark>zebras</mark>" in hit["highlight"]
    assert send(paula, "DELETE", place, etag).status_code == 204
