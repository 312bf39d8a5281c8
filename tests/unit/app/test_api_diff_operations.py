"""Changes of operations, their parameters and bodies: each is named with its place."""

import pytest

from tests.support.api_documents import Found, Json, compare, document, operation


def parameter(**more: object) -> Json:
    return {"name": "page", "in": "query", "schema": {"type": "integer"}, **more}


OPERATIONS: list[tuple[str, Json, Json, Found]] = [
    (
        "path removed",
        document(operation()),
        document(),
        [(True, "path-removed", "/orders: the path was removed")],
    ),
    (
        "operation removed",
        document({"/orders": {**operation()["/orders"], "get": operation()["/orders"]["post"]}}),
        document(operation()),
        [(True, "operation-removed", "GET /orders: it was removed")],
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
        [(False, "operation-deprecated", "POST /orders: it is now deprecated")],
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
        [(True, "parameter-required", "POST /orders query parameter 'page': it is now required")],
    ),
    (
        "parameter required",
        document(operation(parameters=[parameter()])),
        document(operation(parameters=[parameter(required=True)])),
        [(True, "parameter-required", "POST /orders query parameter 'page': it is now required")],
    ),
    (
        "parameter optional",
        document(operation(parameters=[parameter(required=True)])),
        document(operation(parameters=[parameter()])),
        [
            (
                False,
                "parameter-optional",
                "POST /orders query parameter 'page': it is now optional",
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
                "POST /orders query parameter 'page': it is no longer accepted",
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
        [(True, "body-required", "POST /orders body: it is now required")],
    ),
    (
        "body optional",
        document(operation(requestBody={"content": {}, "required": True})),
        document(operation(requestBody={"content": {}})),
        [(False, "body-optional", "POST /orders body: it is now optional")],
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
        [(True, "body-required", "POST /orders body: it is now required")],
    ),
    (
        "body removed",
        document(operation(requestBody={"content": {}})),
        document(operation()),
        [(True, "body-removed", "POST /orders body: it was removed")],
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "expected"), [case[1:] for case in OPERATIONS], ids=[c[0] for c in OPERATIONS]
)
def test_operation_change_is_named_with_its_place(old: Json, new: Json, expected: Found) -> None:
    assert compare(old, new) == expected
