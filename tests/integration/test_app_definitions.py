"""API documents of other kinds than OpenAPI, on real stores."""

import json
from typing import Any

import pytest

from tests.support.api_documents import ASYNCAPI, GRAPHQL, PROTO, document
from tests.support.catalogue_client import add, send
from tests.support.portal_client import Person, problem

KINDS = [
    ("asyncapi", ASYNCAPI, "application/json", "AsyncAPI 3.0.0", "receive-onmeasured", "measured"),
    ("graphql", GRAPHQL, "text/plain", "GraphQL", "query-order", "order(id, lines)"),
    ("grpc", PROTO, "text/plain", "Protocol Buffers proto3", "orders-watch", "Watch"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "media_type", "name", "operation", "path"), KINDS)
def test_document_of_another_kind_is_stored_and_shown(
    paula: Person, kind: str, text: str, media_type: str, name: str, operation: str, path: str
) -> None:
    place, etag = add(paula, f"{kind}-api", kind="api")
    made = send(paula, "PUT", f"{place}/versions/1.0.0", content=text.encode())
    assert (made.status_code, made.json()["kind"]) == (201, kind), made.text
    read = send(paula, "GET", f"{place}/versions/1.0.0")
    assert read.headers["content-type"].startswith(media_type)
    assert (read.json()["info"]["title"] if kind == "asyncapi" else read.text) in (text, "Lights")
    assert send(paula, "PUT", f"{place}/versions/1.0.0", content=text.encode()).status_code == 200
    base = f"/entities{place}"
    pages = [f"{base}/api", f"{base}/api/1.0.0", f"{base}/api/1.0.0/operations/{operation}"]
    shown = [paula.client.get(page, headers=paula.headers) for page in pages]
    assert [page.status_code for page in shown] == [200] * 3
    assert all(said in page.text for said, page in zip((name, path, path), shown, strict=True))
    assert not any("/try" in page.text for page in shown)
    refused = paula.client.get(f"{base}/api/1.0.0/try", headers=paula.headers)
    assert refused.status_code == 409
    label = name.split(" proto")[0].split(" 3")[0]
    other = send(paula, "PUT", f"{place}/versions/0.9", content=json.dumps(document()).encode())
    assert other.status_code == 201
    for pair in ({"from": "1.0.0", "to": "0.9"}, {"from": "0.9", "to": "1.0.0"}):
        assert problem(paula.get(f"{base}/diff", params=pair)) == (
            409,
            f"version '1.0.0': should be OpenAPI, to be compared or tried out (got {label})",
        )
    assert send(paula, "DELETE", place, etag).status_code == 204


def test_kind_that_is_said_is_what_the_document_has_to_be(paula: Person) -> None:
    place = "/api/default/ledger-api/versions/bad"
    answer = send(paula, "PUT", f"{place}?type=graphql", content=PROTO.encode())
    assert problem(answer) == (
        422,
        "line 1, column 1: should be GraphQL (got: Unexpected character: '/'.)",
    )
    assert send(paula, "PUT", f"{place}?type=soap", content=b"a").status_code == 422


def test_import_brings_documents_of_every_kind(paula: Person) -> None:
    def api(kind: str, text: str) -> str:
        spec: dict[str, Any] = {"type": kind, "owner": "payments", "lifecycle": "production"}
        metadata = {"name": f"imported-{kind}"}
        head = {"apiVersion": "backstage.io/v1alpha1", "kind": "API", "metadata": metadata}
        return json.dumps({**head, "spec": {**spec, "definition": text}})

    file = "\n---\n".join(api(kind, text) for kind, text, *_ in KINDS)
    answer = send(paula, "POST", "/import", content=file.encode())
    assert answer.json()["warnings"] == []
    found = {
        kind: [
            (one["version"], one["kind"])
            for one in send(paula, "GET", f"/api/default/imported-{kind}/versions").json()["items"]
        ]
        for kind, *_ in KINDS
    }
    assert found == {
        "asyncapi": [("1.2.0", "asyncapi")],
        "graphql": [("main", "graphql")],
        "grpc": [("main", "grpc")],
    }
    wrong = send(paula, "POST", "/import", content=api("grpc", "message A {").encode())
    assert problem(wrong) == (
        422,
        "document 1: spec.definition: line 1, column 12: should be Protocol Buffers "
        "(got: mismatched input '<EOF>')",
    )
    hits = paula.get("/search", params={"q": "lumens measured"}).json()["items"]
    assert hits == []
    [hit] = paula.get("/search", params={"q": "A light has measured"}).json()["items"]
    assert (hit["type"], hit["name"], hit["part"]) == ("api_document", "imported-asyncapi", "1.2.0")
    for kind, *_ in KINDS:
        gone = send(paula, "DELETE", f"/api/default/imported-{kind}", "*")
        assert gone.status_code == 204


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
