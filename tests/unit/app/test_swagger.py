"""Swagger 2.0 is converted: what a client sends and gets is the same in OpenAPI 3."""

import json
from typing import Any

import pytest
import yaml

from app.definitions.worker import _check
from app.openapi.check import check_document, check_swagger
from app.openapi.reading import DocumentError
from app.openapi.swagger import to_openapi

Json = dict[str, Any]
DONE: Json = {"204": {"description": "done"}}
_OPERATIONS = """
# A body.
- consumes: [application/json]
  parameters:
  - {name: o, in: body, required: true, schema: {$ref: '#/definitions/Order'}}
- requestBody:
    required: true
    content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}
---
# A file.
- parameters: [{name: f, in: formData, type: file}]
- requestBody:
    content:
      multipart/form-data:
        schema: {type: object, properties: {f: {type: string, format: binary}}}
---
# A limit.
- parameters: [{name: page, in: query, type: integer, maximum: 9}]
- parameters: [{name: page, in: query, schema: {type: integer, maximum: 9}}]
---
# Half of a limit.
- parameters: [{name: page, in: query, type: integer, exclusiveMaximum: false}]
- parameters: [{name: page, in: query, schema: {type: integer}}]
---
# A body of any type, with an extension.
- parameters: [{name: o, in: body, x-own: 1, schema: {$ref: '#/definitions/Order'}}]
- requestBody:
    x-own: 1
    content: {'*/*': {schema: {$ref: '#/components/schemas/Order'}}}
---
# A list, one value a parameter.
- parameters:
  - {name: tags, in: query, type: array, items: {type: string}, collectionFormat: multi}
- parameters:
  - {name: tags, in: query, explode: true, schema: {type: array, items: {type: string}}}
---
# A list, separated by commas.
- parameters: [{name: tags, in: query, type: array, items: {type: string}}]
- parameters:
  - {name: tags, in: query, explode: false, schema: {type: array, items: {type: string}}}
---
# A response.
- produces: [application/json]
  responses: {'200': {description: '', schema: {$ref: '#/definitions/Order'}}}
- responses:
    '200':
      description: ''
      content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}
---
# A header.
- responses: {'200': {description: '', headers: {Left: {type: integer}}}}
- responses: {'200': {description: '', headers: {Left: {schema: {type: integer}}}}}
"""
_DOCUMENTS = """
# Servers.
- {host: a.example, basePath: /v1/, schemes: [https, http]}
- servers: [{url: https://a.example/v1}, {url: http://a.example/v1}]
---
# A path.
- {basePath: /v1}
- servers: [{url: /v1}]
---
# A password.
- securityDefinitions: {b: {type: basic}}
- components: {securitySchemes: {b: {type: http, scheme: basic}}}
---
# A grant.
- securityDefinitions:
    o:
      type: oauth2
      flow: accessCode
      authorizationUrl: https://a.example/a
      tokenUrl: https://a.example/t
      scopes: {read: Reads}
- components:
    securitySchemes:
      o:
        type: oauth2
        flows:
          authorizationCode:
            authorizationUrl: https://a.example/a
            tokenUrl: https://a.example/t
            scopes: {read: Reads}
---
# A property that is called like a keyword.
- definitions:
    A:
      discriminator: discriminator
      x-nullable: true
      required: [discriminator]
      properties: {discriminator: {type: string}}
- components:
    schemas:
      A:
        discriminator: {propertyName: discriminator}
        nullable: true
        required: [discriminator]
        properties: {discriminator: {type: string}}
"""


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


@pytest.mark.parametrize(("old", "new"), [*yaml.safe_load_all(_OPERATIONS)])
def test_operation_sends_and_gets_the_same(old: Json, new: Json) -> None:
    assert converted(swagger(old))["paths"]["/orders"]["post"] == {"responses": DONE, **new}


@pytest.mark.parametrize(("old", "new"), [*yaml.safe_load_all(_DOCUMENTS)])
def test_document_keeps_its_meaning(old: Json, new: Json) -> None:
    found = converted(swagger(**{"definitions": {}, **old}))
    assert {name: found[name] for name in new} == new


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
    document = swagger({"parameters": [{"$ref": "#/definitions/Order"}]})
    with pytest.raises(DocumentError) as caught:
        converted(document)
    rule = "should refer to parameters where it has them"
    got = '{"type": "object", "properties": {"id": {"type": "string"}}}'
    assert caught.value.mistakes == [f"POST /orders: {rule} (got {got})"]
