"""What clients get: problems, request ids, the catalogue."""

import json
import logging

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.constants import MAX_BODY_BYTES
from app.models.entities import EntityItem
from app.services import catalogue
from tests.unit.app.conftest import FakeDatabase, entity


@pytest.mark.parametrize("is_measured", [True, False])
def test_body_that_no_route_wants_so_large_is_refused_before_it_is_parsed(
    client: TestClient, is_measured: bool
) -> None:
    body = b"[" + b"[]," * (MAX_BODY_BYTES // 3) + b"[]]"
    content = body if is_measured else iter([body[:1_000_000], body[1_000_000:]])
    headers = {"Content-Type": "application/json"}
    answer = client.post("/api/v1/auth/login", content=content, headers=headers)
    said = f"the body should have at most {MAX_BODY_BYTES} bytes"
    assert (answer.status_code, answer.json()["detail"]) == (413, said)
    assert answer.json()["title"] == "Too large"


NO_PAGE = "there is no page with this cursor; start again without one"


def test_first_page_is_served_from_the_cache_while_the_database_is_away(
    client: TestClient, database: FakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def list_entities(*_arguments: object, **_options: object) -> list[EntityItem]:
        return [EntityItem.model_validate(entity("orders"))]

    monkeypatch.setattr(catalogue, "list_entities", list_entities)
    fresh = client.get("/api/v1/entities").json()
    database.away = True
    assert [item["name"] for item in fresh["items"]] == ["orders"]
    assert client.get("/api/v1/entities").json() == fresh


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/api/v1/entities?cursor=nonsense", 404, NO_PAGE),
        (
            "/api/v1/entities/api/default/a%00b",
            422,
            "path.name: String should match pattern '^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$'",
        ),
        ("/nowhere", 404, "Not Found"),
    ],
)
def test_error_is_a_problem_with_the_request_id(
    client: TestClient, path: str, status: int, detail: str
) -> None:
    answer = client.get(path, headers={"X-Request-ID": "from-the-client"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == detail
    assert answer.json()["request_id"] == "from-the-client"
    assert answer.headers["x-request-id"] == "from-the-client"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/version", "GET, HEAD"),
        ("DELETE", "/api/v1/entities", "GET, HEAD, POST"),
        ("PATCH", "/api/v1/entities/api/default/a", "GET, HEAD, PUT, DELETE"),
    ],
)
def test_wrong_method_is_told_the_right_ones(
    client: TestClient, method: str, path: str, allowed: str
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


def test_unexpected_error_shows_its_request_id_and_nothing_of_the_inside(
    client: TestClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("inside")

    monkeypatch.setattr(catalogue, "list_entities", fail)
    headers = {"X-Request-ID": "of-the-error", "Origin": "http://localhost:3000"}
    answer = client.get("/api/v1/entities", headers=headers)
    assert answer.status_code == 500
    assert answer.json() == {
        "type": "about:blank",
        "title": "Internal error",
        "status": 500,
        "detail": "the error was logged under this request's id",
        "request_id": "of-the-error",
    }
    assert answer.headers["x-request-id"] == "of-the-error"
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert [record.message for record in caplog.records if record.exc_info] == ["unexpected error"]


def test_forged_request_id_is_replaced(client: TestClient) -> None:
    answer = client.get("/livez", headers={"X-Request-ID": 'x" injected="1'})
    assert len(answer.headers["x-request-id"]) == 32


def test_access_line_is_json_with_the_request_id_and_written_before_the_end(
    application: FastAPI, capsys: pytest.CaptureFixture[str]
) -> None:
    from app.logs import configure_logs

    configure_logs("info")
    with TestClient(application, "http://localhost") as client:
        client.get("/version", headers={"X-Request-ID": "line"})
        client.get("/livez")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    access = [line for line in lines if line["logger"] == "app.access"]
    assert [(line["path"], line["status"], line["request_id"]) for line in access] == [
        ("/version", 200, "line")
    ]
    logging.getLogger().handlers.clear()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8000", 200),
        ("LOCALHOST", 200),
        ("dev.localhost:8000", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("192.0.2.7", 200),
        ("evil.example", 421),
        ("evil.example:8000", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example", 421),
        ("evil", 421),
        ("::1", 421),
        ("", 421),
    ],
)
def test_development_answers_no_name_that_a_web_page_may_have_pointed_here(
    client: TestClient, host: str, status: int
) -> None:
    assert client.get("/livez", headers={"Host": host}).status_code == status


def test_cors_lets_in_the_allowed_origins_alone_and_shows_them_what_clients_need(
    client: TestClient,
) -> None:
    allowed = client.get("/livez", headers={"Origin": "http://localhost:3000"})
    other = client.get("/livez", headers={"Origin": "http://elsewhere"})
    assert allowed.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert allowed.headers["access-control-expose-headers"] == (
        "ETag, Location, X-Request-ID, Retry-After, RateLimit, RateLimit-Policy"
    )
    assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize("charset", ["unicode_escape", "punycode", "idna", "undefined"])
@pytest.mark.parametrize("path", ["/sign-in", "/register"])
def test_form_in_an_encoding_that_is_no_utf8_is_refused(
    client: TestClient, path: str, charset: str
) -> None:
    part = 'Content-Disposition: form-data; name="password"\r\n\r\nxn--\\ud800'
    answer = client.post(
        path,
        content=f"--B\r\n{part}\r\n--B--\r\n".encode(),
        headers={"Content-Type": f"multipart/form-data; boundary=B; charset={charset}"},
    )
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "the form should be text in UTF-8",
    )


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("login", r'{"email": "ada@example.com", "password": "\ud800"}'),
        ("refresh", r'{"refresh_token": "\ud800.x"}'),
    ],
)
def test_secret_that_utf8_cannot_hold_is_refused_and_not_repeated(
    client: TestClient, path: str, body: str
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.post(f"/api/v1/auth/{path}", content=body, headers=headers)
    assert answer.status_code == 422
    assert "no unpaired surrogate" in answer.text
    assert "d800" not in answer.text
