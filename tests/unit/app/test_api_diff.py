"""The comparison of API documents: each rule once for a client that sends and one that gets."""

from typing import Any

import pytest

from app.openapi.check import check_document
from app.openapi.diff import diff_documents
from app.openapi.reading import read_document
from app.seed_catalogue import SEED_DATA

Json = dict[str, Any]
Found = list[tuple[bool, str, str]]


def document(
    paths: Json | None = None, *, schemas: Json | None = None, version: str = "3.1.0", **more: Any
) -> Json:
    info = {"title": "Orders", "version": "1"}
    components = {"schemas": schemas or {}, **more.pop("components", {})}
    return {
        "openapi": version,
        "info": info,
        "paths": paths or {},
        "components": components,
        **more,
    }


def operation(**parts: Any) -> Json:
    return {"/orders": {"post": {"responses": {"204": {"description": "done"}}, **parts}}}


def sending(schema: Any, **more: Any) -> Json:
    content = {"application/json": {"schema": schema}}
    return document(operation(requestBody={"content": content}), **more)


def answering(schema: Any, **more: Any) -> Json:
    content = {"application/json": {"schema": schema}}
    return document(operation(responses={"200": {"description": "", "content": content}}), **more)


def compare(old: Json, new: Json) -> Found:
    return [(c.breaking, c.rule, f"{c.where}: {c.message}") for c in diff_documents(old, new)]


def shape(**properties: Any) -> Json:
    required = [name for name, schema in properties.items() if schema.pop("must", False)]
    return {"type": "object", "properties": properties, "required": required}


TEXT = {"type": "string"}
SCHEMAS: list[tuple[Any, ...]] = [
    # name, old, new, (rule, breaking) for requests, (rule, breaking) for responses
    *(
        (f"{name} {way}", *pair, (rule, way == "narrower"), (rule, way == "wider"))
        for name, rule, wide, narrow in (
            ("type", "type-changed", {"type": ["string", "null"]}, TEXT),
            ("number", "type-changed", {"type": "number"}, {"type": "integer"}),
            ("minimum", "limit-changed", {"minimum": 1}, {"minimum": 2}),
            ("maximum", "limit-changed", {}, {"maximum": 2}),
            ("exclusive", "limit-changed", {"minimum": 1}, {"exclusiveMinimum": 1}),
            ("length", "limit-changed", {"maxLength": 9}, {"maxLength": 8}),
            ("items", "limit-changed", {"minItems": 1}, {"minItems": 2}),
            ("pattern", "pattern-changed", TEXT, {"type": "string", "pattern": "^a"}),
            ("format", "format-changed", {"format": "int64"}, {"format": "int32"}),
            ("unique", "unique-items-changed", {"type": "array"}, {"uniqueItems": True}),
            ("enum", "enum-changed", TEXT, {"type": "string", "enum": ["a"]}),
            (
                "alternative",
                "alternative-removed",
                {"oneOf": [TEXT, {"type": "boolean"}, {"type": "array"}]},
                {"oneOf": [TEXT, {"type": "boolean"}]},
            ),
        )
        for way, pair in (("narrower", (wide, narrow)), ("wider", (narrow, wide)))
        if (name, way)
        not in (("unique", "narrower"), ("unique", "wider"), ("alternative", "wider"))
    ),
    (
        "value removed",
        {"enum": ["a", "b"]},
        {"enum": ["a"]},
        ("enum-value-removed", True),
        ("enum-value-removed", False),
    ),
    (
        "value added",
        {"enum": ["a"]},
        {"enum": ["a", "b"]},
        ("enum-value-added", False),
        ("enum-value-added", True),
    ),
    (
        "constant changed to a value more",
        {"const": "a"},
        {"enum": ["a", "b"]},
        ("enum-value-added", False),
        ("enum-value-added", True),
    ),
    (
        "property removed",
        shape(a=TEXT),
        shape(),
        ("property-removed", True),
        ("property-removed", True),
    ),
    (
        "property added",
        shape(),
        shape(a=TEXT),
        ("property-added", False),
        ("property-added", False),
    ),
    (
        "property required",
        shape(a=dict(TEXT)),
        shape(a={**TEXT, "must": True}),
        ("property-required", True),
        ("property-required", False),
    ),
    (
        "property optional",
        shape(a={**TEXT, "must": True}),
        shape(a=dict(TEXT)),
        ("property-optional", False),
        ("property-optional", True),
    ),
    (
        "new property required",
        shape(),
        shape(a={**TEXT, "must": True}),
        ("property-required", True),
        ("property-added", False),
    ),
    (
        "other properties refused",
        {"type": "object"},
        {"type": "object", "additionalProperties": False},
        ("additional-properties-changed", True),
        ("additional-properties-changed", False),
    ),
    ("another type", TEXT, {"type": "integer"}, ("type-changed", True), ("type-changed", True)),
    (
        "another format",
        {"format": "date"},
        {"format": "email"},
        ("format-changed", True),
        ("format-changed", True),
    ),
    (
        "another pattern",
        {"pattern": "a"},
        {"pattern": "b"},
        ("pattern-changed", True),
        ("pattern-changed", True),
    ),
    (
        "another default",
        {"default": 1},
        {"default": 2},
        ("default-changed", True),
        ("default-changed", False),
    ),
    (
        "something that cannot be judged",
        {},
        {"not": TEXT},
        ("constraint-changed", True),
        ("constraint-changed", True),
    ),
    (
        "deprecated",
        TEXT,
        {**TEXT, "deprecated": True},
        ("deprecated", False),
        ("deprecated", False),
    ),
    (
        "null in 3.0's way",
        {"type": "string", "nullable": True},
        TEXT,
        ("type-changed", True),
        ("type-changed", False),
    ),
    (
        "null as an alternative",
        {"anyOf": [TEXT, {"type": "null"}]},
        TEXT,
        ("type-changed", True),
        ("type-changed", False),
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "sent", "answered"), [case[1:] for case in SCHEMAS], ids=[c[0] for c in SCHEMAS]
)
def test_schema_change_breaks_the_side_it_is_bad_for(
    old: Any, new: Any, sent: tuple[str, bool], answered: tuple[str, bool]
) -> None:
    found = [(rule, breaking) for breaking, rule, _ in compare(sending(old), sending(new))]
    assert found == [sent]
    found = [(rule, breaking) for breaking, rule, _ in compare(answering(old), answering(new))]
    assert found == [answered]


def parameter(**more: Any) -> Json:
    return {"name": "page", "in": "query", "schema": {"type": "integer"}, **more}


def guarded(*alternatives: Json) -> Json:
    return document(operation(security=list(alternatives)))


RESPONSE: Json = {"description": "", "content": {"application/json": {"schema": TEXT}}}
KEY = {"type": "apiKey", "in": "header", "name": "X-Key"}
OPERATIONS: list[tuple[str, Json, Json, Found]] = [
    (
        "path removed",
        document(operation()),
        document(),
        [(True, "path-removed", "/orders: the path is not there any more")],
    ),
    (
        "operation removed",
        document({"/orders": {**operation()["/orders"], "get": operation()["/orders"]["post"]}}),
        document(operation()),
        [(True, "operation-removed", "GET /orders: it is not there any more")],
    ),
    (
        "operation added",
        document(),
        document(operation()),
        [(False, "operation-added", "POST /orders: it is new")],
    ),
    (
        "operation deprecated",
        document(operation()),
        document(operation(deprecated=True)),
        [(False, "operation-deprecated", "POST /orders: it is deprecated now")],
    ),
    (
        "operation renamed",
        document(operation(operationId="a")),
        document(operation(operationId="b")),
        [(False, "operation-id-changed", "POST /orders: operationId was a and is b")],
    ),
    (
        "parameter added",
        document(operation()),
        document(operation(parameters=[parameter()])),
        [(False, "parameter-added", "POST /orders query parameter 'page': it is new")],
    ),
    (
        "parameter added and required",
        document(operation()),
        document(operation(parameters=[parameter(required=True)])),
        [(True, "parameter-required", "POST /orders query parameter 'page': it must be sent now")],
    ),
    (
        "parameter required",
        document(operation(parameters=[parameter()])),
        document(operation(parameters=[parameter(required=True)])),
        [(True, "parameter-required", "POST /orders query parameter 'page': it must be sent now")],
    ),
    (
        "parameter optional",
        document(operation(parameters=[parameter(required=True)])),
        document(operation(parameters=[parameter()])),
        [
            (
                False,
                "parameter-optional",
                "POST /orders query parameter 'page': it may be left out now",
            )
        ],
    ),
    (
        "parameter removed",
        document(operation(parameters=[parameter()])),
        document(operation()),
        [
            (
                True,
                "parameter-removed",
                "POST /orders query parameter 'page': it is not taken any more",
            )
        ],
    ),
    (
        "parameter written otherwise",
        document(operation(parameters=[parameter()])),
        document(operation(parameters=[parameter(style="pipeDelimited")])),
        [
            (
                True,
                "parameter-style-changed",
                "POST /orders query parameter 'page': it is written in another way",
            )
        ],
    ),
    (
        "body required",
        document(operation(requestBody={"content": {}})),
        document(operation(requestBody={"content": {}, "required": True})),
        [(True, "body-required", "POST /orders body: it must be sent now")],
    ),
    (
        "body optional",
        document(operation(requestBody={"content": {}, "required": True})),
        document(operation(requestBody={"content": {}})),
        [(False, "body-optional", "POST /orders body: it may be left out now")],
    ),
    (
        "body added",
        document(operation()),
        document(operation(requestBody={"content": {}})),
        [(False, "body-added", "POST /orders body: it is new")],
    ),
    (
        "body added and required",
        document(operation()),
        document(operation(requestBody={"content": {}, "required": True})),
        [(True, "body-required", "POST /orders body: it must be sent now")],
    ),
    (
        "body removed",
        document(operation(requestBody={"content": {}})),
        document(operation()),
        [(True, "body-removed", "POST /orders body: there is none any more")],
    ),
    (
        "response removed",
        document(operation(responses={"200": RESPONSE, "204": RESPONSE})),
        document(operation(responses={"204": RESPONSE})),
        [(True, "response-removed", "POST /orders response 200: it is not given any more")],
    ),
    (
        "error removed",
        document(operation(responses={"404": RESPONSE, "204": RESPONSE})),
        document(operation(responses={"204": RESPONSE})),
        [(False, "response-removed", "POST /orders response 404: it is not given any more")],
    ),
    (
        "response added",
        document(operation(responses={"204": RESPONSE})),
        document(operation(responses={"200": RESPONSE, "204": RESPONSE})),
        [(False, "response-added", "POST /orders response 200: it is new")],
    ),
    (
        "media type exchanged",
        document(operation(responses={"200": RESPONSE})),
        document(operation(responses={"200": {"description": "", "content": {"text/csv": {}}}})),
        [
            (
                True,
                "media-type-removed",
                "POST /orders response 200: application/json is not there any more",
            ),
            (False, "media-type-added", "POST /orders response 200: text/csv is new"),
        ],
    ),
    (
        "header removed",
        document(
            operation(responses={"200": {"description": "", "headers": {"ETag": {"schema": TEXT}}}})
        ),
        document(operation(responses={"200": {"description": ""}})),
        [
            (
                True,
                "header-removed",
                "POST /orders response 200 header 'etag': it is not sent any more",
            )
        ],
    ),
    (
        "authentication added",
        document(operation()),
        guarded({"key": []}),
        [
            (
                True,
                "security-narrowed",
                "POST /orders security: no authentication is not enough any more",
            )
        ],
    ),
    (
        "authentication dropped",
        guarded({"key": []}),
        document(operation()),
        [(False, "security-widened", "POST /orders security: no authentication is enough now")],
    ),
    (
        "scope added",
        guarded({"oauth": ["read"]}),
        guarded({"oauth": ["read", "write"]}),
        [
            (
                True,
                "security-narrowed",
                "POST /orders security: 'oauth' with read is not enough any more",
            )
        ],
    ),
    (
        "way in added",
        guarded({"key": []}),
        guarded({"key": []}, {"oauth": []}),
        [(False, "security-widened", "POST /orders security: 'oauth' is enough now")],
    ),
    (
        "way in removed",
        guarded({"key": []}, {"oauth": []}),
        guarded({"key": []}),
        [(True, "security-narrowed", "POST /orders security: 'oauth' is not enough any more")],
    ),
    (
        "key sent elsewhere",
        document(components={"securitySchemes": {"key": KEY}}),
        document(components={"securitySchemes": {"key": {**KEY, "in": "query"}}}),
        [(True, "security-scheme-changed", "security scheme 'key': in was header and is query")],
    ),
    (
        "server moved",
        document(servers=[{"url": "https://a"}]),
        document(servers=[{"url": "https://b"}]),
        [
            (True, "server-removed", "servers: https://a is not a server any more"),
            (False, "server-added", "servers: https://b is a new server"),
        ],
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "expected"), [case[1:] for case in OPERATIONS], ids=[c[0] for c in OPERATIONS]
)
def test_operation_change_is_named_with_its_place(old: Json, new: Json, expected: Found) -> None:
    assert compare(old, new) == expected


def test_document_does_not_differ_from_itself() -> None:
    for path in sorted((SEED_DATA / "apis").glob("*/*.yaml")):
        read = read_document(path.read_bytes())
        assert compare(read, read_document(path.read_bytes())) == []


def test_texts_examples_and_unused_schemas_are_no_difference() -> None:
    old = sending({**TEXT, "description": "old", "example": "a"}, schemas={"Unused": TEXT})
    assert (
        compare(old, sending({**TEXT, "title": "new"}, info={"title": "x", "version": "2"})) == []
    )


def test_renamed_path_parameter_is_the_same_parameter() -> None:
    def at(name: str) -> Json:
        given = {"name": name, "in": "path", "required": True, "schema": TEXT}
        return document({f"/orders/{{{name}}}": {"get": {"parameters": [given], "responses": {}}}})

    assert compare(at("id"), at("orderId")) == []


def test_schema_behind_a_reference_is_the_schema_itself() -> None:
    old = answering({"$ref": "#/components/schemas/Order"}, schemas={"Order": shape(a=TEXT)})
    assert compare(old, answering(shape(a=TEXT))) == []
    where = "POST /orders response 200 application/json .a"
    assert compare(old, answering(shape(a={"type": ["string", "null"]}))) == [
        (True, "type-changed", f"{where}: it was string and is null or string")
    ]


def test_parts_of_all_of_are_one_schema() -> None:
    whole = shape(a=dict(TEXT), b={**TEXT, "must": True})
    parts = {"allOf": [shape(a=dict(TEXT)), shape(b={**TEXT, "must": True})]}
    assert compare(sending(whole), sending(parts)) == []


def test_schema_that_contains_itself_is_compared_once() -> None:
    def tree(leaf: Any) -> Json:
        node = shape(
            leaf=leaf, children={"type": "array", "items": {"$ref": "#/components/schemas/Node"}}
        )
        return answering({"$ref": "#/components/schemas/Node"}, schemas={"Node": node})

    where = "POST /orders response 200 application/json .leaf"
    assert compare(tree(dict(TEXT)), tree({"type": "integer"})) == [
        (True, "type-changed", f"{where}: it was string and is integer")
    ]


def test_read_only_property_is_no_matter_of_requests() -> None:
    old, new = shape(), shape(id={**TEXT, "readOnly": True, "must": True})
    assert compare(sending(old), sending(new)) == []
    assert [rule for _, rule, _ in compare(answering(old), answering(new))] == ["property-added"]


def test_payload_of_a_webhook_is_what_the_client_gets() -> None:
    def hook(schema: Any) -> Json:
        content = {"application/json": {"schema": schema}}
        called = {"post": {"requestBody": {"content": content}, "responses": {}}}
        return document(webhooks={"paid": called})

    assert compare(hook({"enum": ["a"]}), hook({"enum": ["a", "b"]})) == [
        (True, "enum-value-added", 'POST paid payload application/json : "b" can be there now')
    ]


def test_documents_of_the_example_catalogue_are_good_and_differ() -> None:
    folders = sorted((SEED_DATA / "apis").iterdir())
    assert len(folders) == 5
    for folder in folders:
        old, new = (read_document(path.read_bytes()) for path in sorted(folder.iterdir()))
        for read in (old, new):
            check_document(read, size_bytes=0)
        assert {change.breaking for change in diff_documents(old, new)} >= {False}
