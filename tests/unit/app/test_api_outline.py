"""OpenAPI documents as pages show them."""

from typing import Any

import pytest
import yaml

from app.openapi.outline import outline, part
from app.outline import MAX_CHARACTERS, Answer, Body, Operation, OperationHead, Row

_DOCUMENT: dict[str, Any] = yaml.safe_load("""
openapi: 3.1.0
info: {title: Orders, version: '1', description: Takes orders.}
servers: [{url: https://orders.example.com}]
paths:
  /orders/{id}:
    parameters:
    - {name: id, in: path, required: true, schema: {type: string}}
    get:
      tags: [orders]
      summary: One order
      deprecated: true
      parameters:
      - {name: id, in: path, required: true, schema: {type: integer}}
      responses:
        '200':
          description: '*It*'
          content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}
        '404': {$ref: '#/components/responses/Missing'}
components:
  responses: {Missing: {description: There is none}}
  schemas:
    Order:
      allOf: [{$ref: '#/components/schemas/Base'}]
      required: [lines]
      properties:
        lines: {type: array, items: {$ref: '#/components/schemas/Line'}}
        state: {type: string, enum: [open, paid]}
    Base: {properties: {id: {type: string, format: uuid}}}
""")
_HEAD = OperationHead("get-orders-id", "orders", "get", "/orders/{id}", "One order", True)


def test_an_index_has_every_operation_and_schema() -> None:
    paths = {f"/items/{number}": {"get": {"responses": {}}} for number in range(1500)}
    found = outline({**_DOCUMENT, "paths": {**_DOCUMENT["paths"], **paths}})
    assert (found.title, found.servers) == ("Orders", ["https://orders.example.com"])
    assert (found.operations[0], len(found.operations)) == (_HEAD, 1501)
    assert (found.schemas, found.truncated) == (["Order", "Base"], False)


def test_an_operation_is_read_with_what_it_refers_to() -> None:
    assert part(_DOCUMENT, "operation", _HEAD.id).operation == Operation(
        **vars(_HEAD),
        description="",
        parameters=[Row("id", "integer", True, "", "path")],
        bodies=[],
        answers=[
            Answer("200", "<p><em>It</em></p>\n", [Body("application/json", "Order", "Order", [])]),
            Answer("404", "<p>There is none</p>\n", []),
        ],
    )


def test_operations_whose_paths_look_alike_have_addresses_of_their_own() -> None:
    long = "/" + "x" * 200
    names = ("/a/b", "/a-b", "/a/{b}", long, f"{long}y")
    paths = {name: {"get": {"summary": "s"}} for name in names}
    found = [head.id for head in outline({"paths": paths}).operations]
    assert found[:3] == ["get-a-b", "get-a-b--2", "get-a-b--3"]
    assert len(set(found)) == 5
    shown = [part({"paths": paths}, "operation", name).operation for name in found]
    assert [operation and operation.path for operation in shown] == [*paths]


def test_a_schema_is_read_with_all_its_parts() -> None:
    assert part(_DOCUMENT, "schema", "Order").rows == [
        Row("lines", "array of Line", True, "", "", "Line"),
        Row("state", "open | paid", False, ""),
        Row("id", "string (uuid)", False, ""),
    ]


@pytest.mark.parametrize(
    ("name", "written"),
    [("Page<Order>", "Page%3COrder%3E"), ("shop/Order", "shop~1Order"), ("a~b", "a~0b")],
)
def test_a_schema_is_found_by_its_name_however_a_reference_writes_it(
    name: str, written: str
) -> None:
    own = {"type": "array", "items": {"$ref": f"#/components/schemas/{written}"}}
    answer = {"description": "", "content": {"application/json": {"schema": own}}}
    document = {
        "paths": {"/a": {"get": {"responses": {"200": answer}}}},
        "components": {"schemas": {name: {"properties": {"next": own}}}},
    }
    operation = part(document, "operation", "get-a").operation
    assert operation is not None
    assert operation.answers[0].bodies == [Body("application/json", f"array of {name}", name, [])]
    found = part(document, "schema", name)
    assert found.exists
    assert found.rows == [Row("next", f"array of {name}", False, "", "", name)]


def test_a_schema_inside_of_another_has_no_page_and_is_shown_where_it_is_used() -> None:
    inner = {"$ref": "#/components/schemas/Order/properties/line"}
    answer = {"description": "", "content": {"application/json": {"schema": inner}}}
    line = {"properties": {"sku": {"type": "string"}}}
    document = {
        "paths": {"/a": {"get": {"responses": {"200": answer}}}},
        "components": {"schemas": {"Order": {"properties": {"line": line}}, "line": {}}},
    }
    operation = part(document, "operation", "get-a").operation
    assert operation is not None
    assert operation.answers[0].bodies == [
        Body("application/json", "line", "", [Row("sku", "string", False, "")])
    ]


def test_a_schema_made_of_itself_ends() -> None:
    own = {"allOf": [{"$ref": "#/components/schemas/A"}], "properties": {"x": {"type": "string"}}}
    found = part({"components": {"schemas": {"A": own}}}, "schema", "A")
    assert [row.name for row in found.rows] == ["x"]


def test_an_operation_too_large_for_a_page_says_so() -> None:
    wide = {"properties": {f"p{n}": {"description": "x" * 4000} for n in range(400)}}
    media = {f"a/{number}": {"schema": wide} for number in range(3)}
    answer = {"get": {"responses": {"200": {"content": media}}}}
    found = part({"paths": {"/a": answer}}, "operation", "get-a")
    assert found.truncated
    assert len(str(found)) < 2 * MAX_CHARACTERS


def test_what_a_document_lacks_does_not_exist() -> None:
    found = [part(_DOCUMENT, kind, "none").exists for kind in ("operation", "schema")]
    assert found == [False, False]


def test_titles_are_shown_without_what_turns_their_direction() -> None:
    assert outline({"info": {"title": "pay\u202ements", "description": "a\nb"}}).title == "payments"


def test_nonsense_is_read_as_nothing() -> None:
    for document in ({}, {"paths": []}, {"paths": {"/a": None}}, {"info": 1, "servers": {"a": 1}}):
        assert outline(document).operations == []
