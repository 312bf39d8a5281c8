"""Changes of operations and of who may call them: each is named with its place."""

from typing import Any

import pytest

from tests.support.api_documents import TEXT, Json, compare, document, operation

POST = operation()["/orders"]["post"]
PAGE = {"name": "page", "in": "query", "schema": {"type": "integer"}}
NEEDED_PAGE = {**PAGE, "required": True}
BODY: Json = {"content": {}}
NEEDED_BODY = {**BODY, "required": True}
OK: Json = {"description": ""}
KEY = {"type": "apiKey", "in": "header", "name": "X-Key"}


def compare_parts(old: Json, new: Json) -> list[tuple[str, str]]:
    """Of one operation."""
    return compare(document(operation(**old)), document(operation(**new)))


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        (operation(), {}, [("/orders", "breaking path-removed: the path was removed")]),
        (
            {"/orders": {"post": POST, "get": POST}},
            operation(),
            [("GET /orders", "breaking operation-removed: it was removed")],
        ),
        ({}, operation(), [("POST /orders", "safe operation-added: it is new")]),
    ],
)
def test_operation_that_comes_or_goes_is_named(
    old: Json, new: Json, changes: list[tuple[str, str]]
) -> None:
    assert compare(document(old), document(new)) == changes


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ({}, {"deprecated": True}, "safe operation-deprecated: it is now deprecated"),
        (
            {"operationId": "a"},
            {"operationId": "b"},
            "safe operation-id-changed: operationId was a and is b",
        ),
    ],
)
def test_change_of_an_operation_is_named(old: Json, new: Json, change: str) -> None:
    assert compare_parts(old, new) == [("POST /orders", change)]


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ([], [PAGE], "safe parameter-added: it is new"),
        ([], [NEEDED_PAGE], "breaking parameter-required: it is now required"),
        ([PAGE], [NEEDED_PAGE], "breaking parameter-required: it is now required"),
        ([NEEDED_PAGE], [PAGE], "safe parameter-optional: it is now optional"),
        ([PAGE], [], "breaking parameter-removed: it is no longer accepted"),
        (
            [PAGE],
            [{**PAGE, "style": "pipeDelimited"}],
            "breaking parameter-style-changed: it is written in another way",
        ),
        (
            [PAGE],
            [{"name": "page", "in": "query", "content": {"application/json": {}}}],
            "breaking parameter-style-changed: it is written in another way",
        ),
    ],
)
def test_change_of_a_parameter_is_named(old: list[Json], new: list[Json], change: str) -> None:
    found = compare_parts({"parameters": old}, {"parameters": new})
    assert found == [("POST /orders query parameter 'page'", change)]


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ({}, {"requestBody": BODY}, "safe body-added: it is new"),
        ({}, {"requestBody": NEEDED_BODY}, "breaking body-required: it is now required"),
        ({"requestBody": BODY}, {}, "breaking body-removed: it was removed"),
        (
            {"requestBody": BODY},
            {"requestBody": NEEDED_BODY},
            "breaking body-required: it is now required",
        ),
        (
            {"requestBody": NEEDED_BODY},
            {"requestBody": BODY},
            "safe body-optional: it is now optional",
        ),
    ],
)
def test_change_of_a_body_is_named(old: Json, new: Json, change: str) -> None:
    assert compare_parts(old, new) == [("POST /orders body", change)]


@pytest.mark.parametrize(
    ("old", "new", "part", "changes"),
    [
        ({"200": OK, "204": OK}, {"204": OK}, "", ["breaking response-removed: it was removed"]),
        ({"200": OK, "404": OK}, {"200": OK}, "", ["safe response-removed: it was removed"]),
        ({"204": OK}, {"200": OK, "204": OK}, "", ["safe response-added: it is new"]),
        (
            {"200": {**OK, "content": {"application/json": {}}}},
            {"200": {**OK, "content": {"text/csv": {}}}},
            "",
            [
                "breaking media-type-removed: application/json was removed",
                "safe media-type-added: text/csv is new",
            ],
        ),
        (
            {"200": {**OK, "headers": {"ETag": {"schema": TEXT}}}},
            {"200": OK},
            " header 'etag'",
            ["breaking header-removed: it was removed"],
        ),
    ],
)
def test_change_of_a_response_is_named(old: Json, new: Json, part: str, changes: list[str]) -> None:
    status = "404" if "404" in old else "200"
    found = compare_parts({"responses": old}, {"responses": new})
    assert found == [(f"POST /orders response {status}{part}", change) for change in changes]


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ([], [{"key": []}], "breaking security-narrowed: no authentication is no longer enough"),
        ([{"key": []}], [], "safe security-widened: no authentication is now enough"),
        (
            [{"oauth": ["read"]}],
            [{"oauth": ["read", "write"]}],
            "breaking security-narrowed: 'oauth' with read is no longer enough",
        ),
        (
            [{"key": []}],
            [{"key": []}, {"oauth": []}],
            "safe security-widened: 'oauth' is now enough",
        ),
        (
            [{"key": []}, {"oauth": []}],
            [{"key": []}],
            "breaking security-narrowed: 'oauth' is no longer enough",
        ),
    ],
)
def test_change_of_who_may_call_is_named(old: list[Any], new: list[Any], change: str) -> None:
    found = compare_parts({"security": old}, {"security": new})
    assert found == [("POST /orders security", change)]


def test_credentials_that_are_sent_elsewhere_are_named_in_the_order_of_the_document() -> None:
    names = [f"key{number}" for number in range(20)]
    old, new = (
        document(components={"securitySchemes": {name: {**KEY, "in": place} for name in names}})
        for place in ("header", "query")
    )
    change = "breaking security-scheme-changed: in was header and is query"
    assert compare(old, new) == [(f"security scheme '{name}'", change) for name in names]


TOKENS = {"tokenUrl": "https://a.example/token", "scopes": {}}


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ({"type": "http", "scheme": "Bearer"}, {"type": "http", "scheme": "bearer"}, []),
        (KEY, {**KEY, "name": "x-key"}, []),
        (
            {**KEY, "in": "query"},
            {**KEY, "in": "query", "name": "x-key"},
            ["name was X-Key and is"],
        ),
        (
            {"type": "oauth2", "flows": {"password": TOKENS, "clientCredentials": TOKENS}},
            {"type": "oauth2", "flows": {"clientCredentials": TOKENS}},
            ["the flow password was removed"],
        ),
    ],
)
def test_credentials_change_where_a_client_has_to_send_others(
    old: Json, new: Json, changes: list[str]
) -> None:
    before, after = (document(components={"securitySchemes": {"a": one}}) for one in (old, new))
    found = compare(before, after)
    assert len(found) == len(changes)
    for (_, said), change in zip(found, changes, strict=True):
        assert said.startswith(f"breaking security-scheme-changed: {change}")


def test_server_that_moves_is_named() -> None:
    old, new = (document(servers=[{"url": url}]) for url in ("https://a", "https://b"))
    assert compare(old, new) == [
        ("servers", "breaking server-removed: https://a is no longer a server"),
        ("servers", "safe server-added: https://b is a new server"),
    ]
