"""What belongs to an entity, on real stores: relations, pages and documents of every kind."""

import json
from dataclasses import asdict

import pytest

from app.openapi.diff import diff_documents, report
from tests.support.api_documents import ASYNCAPI, GRAPHQL, PROTO, document
from tests.support.portal_client import Person, add, events, problem, put, send
from tests.support.portal_process import Environment, ask


def test_relations_lead_both_ways_and_are_audited(paula: Person, environment: Environment) -> None:
    path, _ = add(paula, "related")
    edge = f"{path}/relations/consumes/api/default/ledger-api"
    assert [send(paula, "PUT", edge).status_code for _ in range(2)] == [204, 204]
    outgoing = send(paula, "GET", f"{path}/relations").json()["outgoing"]
    key = {"kind": "api", "namespace": "default", "name": "ledger-api"}
    ledger = {**key, "title": "Ledger API", "exists": True}
    assert outgoing == [{"type": "consumes", "entity": ledger}]
    incoming = paula.get("/entities/api/default/ledger-api/relations").json()["incoming"]
    assert "related" in [edge["entity"]["name"] for edge in incoming]
    assert [send(paula, "DELETE", edge).status_code for _ in range(2)] == [204, 404]
    itself = f"{path}/relations/depends_on{path}"
    assert problem(send(paula, "PUT", itself)) == (
        422,
        "component:default/related: should not have a relation to itself",
    )
    nothing = send(paula, "PUT", f"{path}/relations/depends_on/api/default/nothing")
    assert problem(nothing) == (404, "there is no api 'default/nothing'")
    actions = [event[1] for event in events(environment, "component:default/related")]
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


OPENAPI = document({"/orders": {"get": {"responses": {"200": {"description": "ok"}}}}})


def test_document_is_stored_once_and_goes_with_its_last_version(
    paula: Person, environment: Environment
) -> None:
    path, etag = add(paula, "published", kind="api")
    body = {**OPENAPI, "info": {"title": "Zanzibar", "version": "1"}}
    put(paula, f"{path}/versions/1", body)
    as_yaml = (
        "openapi: 3.1.0\ninfo: {title: Zanzibar, version: '1'}\n"
        "paths:\n  /orders: {get: {responses: {200: {description: ok}}}}\n"
        "components: {schemas: {}}\n"
    )
    second = send(paula, "PUT", f"{path}/versions/2", content=as_yaml.encode())
    assert second.status_code == 201, second.text
    count = "select count(*) from api_content where title = 'Zanzibar'"
    assert ask(environment, count) == [(1,)]
    assert send(paula, "GET", f"{path}/versions/2").json() == body
    assert put(paula, f"{path}/versions/1", body).status_code == 200
    other = {**body, "paths": {}}
    assert put(paula, f"{path}/versions/1", other).status_code == 428
    assert put(paula, f"{path}/versions/1", other, second.headers["etag"]).status_code == 200
    assert send(paula, "DELETE", path, etag).status_code == 204
    assert ask(environment, count) == [(0,)]


def test_version_is_replaced_by_its_tag_or_whatever_it_is(paula: Person) -> None:
    path, _ = add(paula, "replaced", kind="api")
    place = f"{path}/versions/main"
    one, two = ({**OPENAPI, "info": {"title": title, "version": "1"}} for title in "ab")
    assert problem(put(paula, place, one, "*")) == (
        412,
        "If-Match: should be left out for a version that is not there (got *). "
        "With ?replace=true, it may be there or not.",
    )
    made = put(paula, f"{place}?replace=true", one)
    assert (made.status_code, put(paula, place, one).status_code) == (201, 200)
    assert problem(put(paula, place, two)) == (
        428,
        f"If-Match: should name the document to be replaced, {made.headers['etag']} (got "
        "nothing). Name it, or ask with ?replace=true.",
    )
    assert put(paula, f"{place}?replace=true", two).json()["title"] == "b"
    assert put(paula, f"{place}?replace=true", one, made.headers["etag"]).status_code == 412


def test_swagger_is_kept_and_read_as_openapi(paula: Person) -> None:
    path, etag = add(paula, "old-api", kind="api")
    info = {"title": "Old", "version": "1"}
    orders = {"get": {"responses": {"200": {"description": "", "schema": {"type": "string"}}}}}
    document = {"swagger": "2.0", "info": info, "paths": {"/orders": orders}}
    made = put(paula, f"{path}/versions/1", document)
    assert (made.status_code, made.json()["openapi"]) == (201, "2.0")
    assert paula.get(f"/entities{path}/versions/1").json()["openapi"] == "3.0.3"
    assert paula.get(f"/entities{path}/versions/1?original=true").json() == document
    assert put(paula, f"{path}/versions/2", {**document, "paths": {}}).status_code == 201
    diff = paula.get(f"/entities{path}/diff", params={"from": "1", "to": "2"}).json()
    assert diff["breaking"]["groups"][0]["name"] == "/orders"
    page = paula.client.get(f"/entities{path}/api/1", headers=paula.headers)
    assert page.status_code == 200
    assert "?original=true" in page.text
    assert send(paula, "DELETE", path, etag).status_code == 204


def test_difference_of_two_versions_is_listed(paula: Person) -> None:
    place = "/entities/api/default/checkout-api"
    old, new = (paula.get(f"{place}/versions/{v}").json() for v in ("1.4.0", "2.0.0"))
    told = paula.get(f"{place}/diff", params={"from": "1.4.0", "to": "2.0.0"}).json()
    expected = json.loads(json.dumps(asdict(report(diff_documents(old, new)))))
    assert told == {"from_version": "1.4.0", "to_version": "2.0.0", "compatible": False, **expected}
    assert min(told["breaking"]["changes"], told["non_breaking"]["changes"]) > 5


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        ("{", "line 1, column 2: should be JSON"),
        (
            json.dumps({**OPENAPI, "paths": {"/a": {"$ref": "http://169.254.169.254/"}}}),
            "#/paths/~1a/$ref: should lead to a place in this document",
        ),
        (
            json.dumps(document(components={"examples": {"a": {"$ref": "http://elsewhere/a"}}})),
            "#/components/examples/a/$ref: should lead to a place in this document",
        ),
        (json.dumps({**OPENAPI, "info": {}}), "info: "),
        (
            json.dumps({**OPENAPI, "paths": {"/a/{b}": OPENAPI["paths"]["/orders"]}}),
            "GET /a/{b}: should declare the path parameter 'b'",
        ),
    ],
)
def test_document_that_is_not_openapi_is_refused_by_name(
    paula: Person, content: str, mistake: str
) -> None:
    place = "/api/default/ledger-api/versions/bad"
    answer = send(paula, "PUT", place, content=content.encode())
    status, detail = problem(answer)
    assert status == 422
    assert detail.startswith(mistake)


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
        spec = {"type": kind, "owner": "payments", "definition": text}
        metadata = {"name": f"imported-{kind}"}
        head = {"apiVersion": "backstage.io/v1alpha1", "kind": "API", "metadata": metadata}
        return json.dumps({**head, "spec": spec})

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
    [hit] = paula.get("/search", params={"q": "A light has measured"}).json()["items"]
    assert (hit["type"], hit["name"], hit["part"]) == ("api_document", "imported-asyncapi", "1.2.0")
