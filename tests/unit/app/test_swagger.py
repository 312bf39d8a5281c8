"""Swagger 2.0 is converted: what a client sends and gets is the same in OpenAPI 3."""

import json
from typing import Any

import pytest

from app.definitions.worker import _check
from app.openapi.check import check_document, check_swagger
from app.openapi.reading import DocumentError
from app.openapi.swagger import to_openapi

Json = dict[str, Any]
ORDER = {"$ref": "#/definitions/Order"}
ORDER_3 = {"$ref": "#/components/schemas/Order"}
DONE: Json = {"204": {"description": "done"}}


def swagger(operation: Json | None = None, **more: Any) -> Json:
    paths = {"/orders": {"post": {"responses": DONE, **(operation or {})}}}
    info = {"title": "Orders", "version": "1"}
    definitions = {"Order": {"type": "object", "properties": {"id": {"type": "string"}}}}
    return {"swagger": "2.0", "info": info, "paths": paths, "definitions": definitions, **more}


def converted(document: Json) -> Json:
    check_swagger(document)
    found = to_openapi(document)
    check_document(found, size_bytes=0)
    return found


def body(content: Json, **more: Any) -> Json:
    return {"requestBody": {**more, "content": content}}


def given(**parameter: Any) -> Json:
    return {"parameters": [parameter]}


LIST = {"type": "array", "items": {"type": "string"}}
TYPES = {"consumes": ["application/json"], "produces": ["application/json"]}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            {**TYPES, **given(name="o", required=True, schema=ORDER, **{"in": "body"})},
            body({"application/json": {"schema": ORDER_3}}, required=True),
        ),
        (
            given(name="f", type="file", **{"in": "formData"}),
            body(
                {
                    "multipart/form-data": {
                        "schema": {
                            "type": "object",
                            "properties": {"f": {"type": "string", "format": "binary"}},
                        }
                    }
                }
            ),
        ),
        (
            given(name="page", type="integer", maximum=9, **{"in": "query"}),
            given(name="page", schema={"type": "integer", "maximum": 9}, **{"in": "query"}),
        ),
        (
            given(name="page", type="integer", exclusiveMaximum=False, **{"in": "query"}),
            given(name="page", schema={"type": "integer"}, **{"in": "query"}),
        ),
        (
            given(name="o", schema=ORDER, **{"in": "body", "x-own": 1}),
            {"requestBody": {"x-own": 1, "content": {"*/*": {"schema": ORDER_3}}}},
        ),
        (
            given(name="tags", collectionFormat="multi", **LIST, **{"in": "query"}),
            given(name="tags", schema=LIST, explode=True, **{"in": "query"}),
        ),
        (
            given(name="tags", **LIST, **{"in": "query"}),
            given(name="tags", schema=LIST, explode=False, **{"in": "query"}),
        ),
        (
            {**TYPES, "responses": {"200": {"description": "", "schema": ORDER}}},
            {
                "responses": {
                    "200": {
                        "description": "",
                        "content": {"application/json": {"schema": ORDER_3}},
                    }
                }
            },
        ),
        (
            {"responses": {"200": {"description": "", "headers": {"Left": {"type": "integer"}}}}},
            {
                "responses": {
                    "200": {"description": "", "headers": {"Left": {"schema": {"type": "integer"}}}}
                }
            },
        ),
    ],
)
def test_operation_sends_and_gets_the_same(old: Json, new: Json) -> None:
    assert converted(swagger(old))["paths"]["/orders"]["post"] == {"responses": DONE, **new}


@pytest.mark.parametrize(
    ("old", "part", "new"),
    [
        (
            {"host": "a.example", "basePath": "/v1/", "schemes": ["https", "http"]},
            "servers",
            [{"url": "https://a.example/v1"}, {"url": "http://a.example/v1"}],
        ),
        ({"basePath": "/v1"}, "servers", [{"url": "/v1"}]),
        (
            {"securityDefinitions": {"b": {"type": "basic"}}},
            "components",
            {"securitySchemes": {"b": {"type": "http", "scheme": "basic"}}},
        ),
        (
            {
                "securityDefinitions": {
                    "o": {
                        "type": "oauth2",
                        "flow": "accessCode",
                        "authorizationUrl": "https://a.example/a",
                        "tokenUrl": "https://a.example/t",
                        "scopes": {"read": "Reads"},
                    }
                }
            },
            "components",
            {
                "securitySchemes": {
                    "o": {
                        "type": "oauth2",
                        "flows": {
                            "authorizationCode": {
                                "authorizationUrl": "https://a.example/a",
                                "tokenUrl": "https://a.example/t",
                                "scopes": {"read": "Reads"},
                            }
                        },
                    }
                }
            },
        ),
        (
            {"definitions": {"A": {"discriminator": "discriminator", "x-nullable": True,
                                   "required": ["discriminator"],
                                   "properties": {"discriminator": {"type": "string"}}}}},
            "components",
            {"schemas": {"A": {"discriminator": {"propertyName": "discriminator"},
                               "nullable": True,
                               "required": ["discriminator"],
                               "properties": {"discriminator": {"type": "string"}}}}},
        ),
    ],
)  # fmt: skip
def test_document_keeps_its_meaning(old: Json, part: str, new: Any) -> None:
    assert converted(swagger(**{"definitions": {}, **old}))[part] == new


def test_types_of_a_list_are_alternatives_and_null_is_nullable() -> None:
    schemas = {
        "A": {"type": ["string", "null"]},
        "B": {"type": ["string", "integer"]},
        "C": {"type": "null"},
    }
    document = swagger(definitions=schemas, **{"x-own": {"$ref": "#/definitions/A"}})
    found = converted(document)
    assert found["components"]["schemas"] == {
        "A": {"type": "string", "nullable": True},
        "B": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        "C": {"nullable": True},
    }
    assert found["x-own"] == {"$ref": "#/components/schemas/A"}


def test_original_is_kept_beside_the_conversion() -> None:
    document = swagger()
    head, text = _check(json.dumps(document).encode(), None)
    assert json.loads(head["original"]) == document
    assert (head["language"], json.loads(text)["openapi"]) == ("2.0", "3.0.3")


def test_document_that_is_no_swagger_is_refused_with_its_mistakes() -> None:
    with pytest.raises(DocumentError) as caught:
        check_swagger({"swagger": "2.0", "info": {"title": "a", "version": "1"}})
    assert caught.value.mistakes == ['the document: "paths" is a required property']


def test_parameter_that_refers_to_something_else_is_named() -> None:
    document = swagger({"parameters": [ORDER]})
    with pytest.raises(DocumentError) as caught:
        converted(document)
    rule = "should refer to parameters where it has them"
    got = '{"type": "object", "properties": {"id": {"type": "string"}}}'
    assert caught.value.mistakes == [f"POST /orders: {rule} (got {got})"]
