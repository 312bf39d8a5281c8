"""Changes of responses, and of who may ask where: each is named with its place."""

import pytest

from tests.support.api_documents import TEXT, Found, Json, compare, document, operation


def guarded(*alternatives: Json) -> Json:
    return document(operation(security=list(alternatives)))


RESPONSE: Json = {"description": "", "content": {"application/json": {"schema": TEXT}}}
KEY = {"type": "apiKey", "in": "header", "name": "X-Key"}
CHANGES: list[tuple[str, Json, Json, Found]] = [
    (
        "response removed",
        document(operation(responses={"200": RESPONSE, "204": RESPONSE})),
        document(operation(responses={"204": RESPONSE})),
        [(True, "response-removed", "POST /orders response 200: it was removed")],
    ),
    (
        "error removed",
        document(operation(responses={"404": RESPONSE, "204": RESPONSE})),
        document(operation(responses={"204": RESPONSE})),
        [(False, "response-removed", "POST /orders response 404: it was removed")],
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
                "POST /orders response 200: application/json was removed",
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
                "POST /orders response 200 header 'etag': it was removed",
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
                "POST /orders security: no authentication is no longer enough",
            )
        ],
    ),
    (
        "authentication dropped",
        guarded({"key": []}),
        document(operation()),
        [(False, "security-widened", "POST /orders security: no authentication is now enough")],
    ),
    (
        "scope added",
        guarded({"oauth": ["read"]}),
        guarded({"oauth": ["read", "write"]}),
        [
            (
                True,
                "security-narrowed",
                "POST /orders security: 'oauth' with read is no longer enough",
            )
        ],
    ),
    (
        "way in added",
        guarded({"key": []}),
        guarded({"key": []}, {"oauth": []}),
        [(False, "security-widened", "POST /orders security: 'oauth' is now enough")],
    ),
    (
        "way in removed",
        guarded({"key": []}, {"oauth": []}),
        guarded({"key": []}),
        [(True, "security-narrowed", "POST /orders security: 'oauth' is no longer enough")],
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
            (True, "server-removed", "servers: https://a is no longer a server"),
            (False, "server-added", "servers: https://b is a new server"),
        ],
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "expected"), [case[1:] for case in CHANGES], ids=[c[0] for c in CHANGES]
)
def test_change_of_a_response_or_of_access_is_named_with_its_place(
    old: Json, new: Json, expected: Found
) -> None:
    assert compare(old, new) == expected
