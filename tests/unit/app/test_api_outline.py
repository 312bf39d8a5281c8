"""OpenAPI documents as pages show them."""

from typing import Any

from app.openapi.outline import MAX_OPERATIONS, Answer, Body, Operation, Row, outline

_ORDER = {"$ref": "#/components/schemas/Order"}
_DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Orders", "version": "1", "description": "Takes orders."},
    "servers": [{"url": "https://orders.example.com"}],
    "paths": {
        "/orders/{id}": {
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
            ],
            "get": {
                "tags": ["orders"],
                "summary": "One order",
                "deprecated": True,
                "responses": {
                    "200": {
                        "description": "It",
                        "content": {"application/json": {"schema": _ORDER}},
                    },
                    "404": {"$ref": "#/components/responses/Missing"},
                },
            },
        }
    },
    "components": {
        "responses": {"Missing": {"description": "There is none"}},
        "schemas": {
            "Order": {
                "allOf": [{"$ref": "#/components/schemas/Base"}],
                "required": ["lines"],
                "properties": {
                    "lines": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}},
                    "state": {"type": "string", "enum": ["open", "paid"]},
                },
            },
            "Base": {"properties": {"id": {"type": "string", "format": "uuid"}}},
        },
    },
}


def test_operations_are_read_with_what_they_refer_to() -> None:
    found = outline(_DOCUMENT)
    assert (found.title, found.servers) == ("Orders", ["https://orders.example.com"])
    assert found.groups == {
        "orders": [
            Operation(
                method="get",
                path="/orders/{id}",
                summary="One order",
                description="",
                deprecated=True,
                parameters=[Row("id", "integer", True, "", "path")],
                bodies=[],
                answers=[
                    Answer("200", "It", [Body("application/json", "Order", "Order", [])]),
                    Answer("404", "There is none", []),
                ],
            )
        ]
    }


def test_schemas_are_read_with_all_their_parts() -> None:
    assert outline(_DOCUMENT).schemas["Order"] == [
        Row("lines", "array of Line", True, "", "", "Line"),
        Row("state", "open | paid", False, ""),
        Row("id", "string (uuid)", False, ""),
    ]


def test_a_schema_made_of_itself_ends() -> None:
    own = {"allOf": [{"$ref": "#/components/schemas/A"}], "properties": {"x": {"type": "string"}}}
    found = outline({"components": {"schemas": {"A": own}}})
    assert {row.name for row in found.schemas["A"]} == {"x"}


def test_a_page_shows_so_many_operations_and_says_so() -> None:
    paths = {f"/{number}": {"get": {"responses": {}}} for number in range(MAX_OPERATIONS + 1)}
    found = outline({"paths": paths})
    assert found.truncated
    assert sum(map(len, found.groups.values())) == MAX_OPERATIONS


def test_titles_are_shown_without_what_turns_their_direction() -> None:
    assert outline({"info": {"title": "pay\u202ements", "description": "a\nb"}}).title == "payments"


def test_nonsense_is_read_as_nothing() -> None:
    for document in ({}, {"paths": []}, {"paths": {"/a": None}}, {"info": 1, "servers": {"a": 1}}):
        assert outline(document).groups == {}
