"""What the comparison of API documents takes for the same, and what it looks behind."""

from typing import Any

from app.openapi.check import check_document
from app.openapi.diff import diff_documents
from app.openapi.reading import read_document
from app.seed.catalogue import SEED_DATA
from tests.support.api_documents import TEXT, Json, answering, compare, document, sending, shape


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
    assert compare(old, answering(shape(a={"type": ["string", "null"]}))) == [
        (
            "POST /orders response 200 application/json .a",
            "breaking type-changed: it was string and is null or string",
        )
    ]


def test_parts_of_all_of_are_one_schema() -> None:
    whole = shape(a=TEXT, b={**TEXT, "must": True})
    parts = {"allOf": [shape(a=TEXT), shape(b={**TEXT, "must": True})]}
    assert compare(sending(whole), sending(parts)) == []


def test_schema_that_contains_itself_is_compared_once() -> None:
    def tree(leaf: Any) -> Json:
        node = shape(
            leaf=leaf, children={"type": "array", "items": {"$ref": "#/components/schemas/Node"}}
        )
        return answering({"$ref": "#/components/schemas/Node"}, schemas={"Node": node})

    assert compare(tree(TEXT), tree({"type": "integer"})) == [
        (
            "POST /orders response 200 application/json .leaf",
            "breaking type-changed: it was string and is integer",
        )
    ]


def test_read_only_property_is_no_matter_of_requests() -> None:
    old, new = shape(), shape(id={**TEXT, "readOnly": True, "must": True})
    assert compare(sending(old), sending(new)) == []
    [(_, change)] = compare(answering(old), answering(new))
    assert change == "safe property-added: 'id' is new"


def test_payload_of_a_webhook_is_what_the_client_gets() -> None:
    def hook(schema: Any) -> Json:
        content = {"application/json": {"schema": schema}}
        called = {"post": {"requestBody": {"content": content}, "responses": {}}}
        return document(webhooks={"paid": called})

    assert compare(hook({"enum": ["a"]}), hook({"enum": ["a", "b"]})) == [
        ("POST paid payload application/json ", 'breaking enum-value-added: "b" can now occur')
    ]


def test_documents_of_the_example_catalogue_are_good_and_differ() -> None:
    folders = sorted((SEED_DATA / "apis").iterdir())
    assert len(folders) == 5
    for folder in folders:
        old, new = (read_document(path.read_bytes()) for path in sorted(folder.iterdir()))
        for read in (old, new):
            check_document(read, size_bytes=0)
        assert {change.breaking for change in diff_documents(old, new)} >= {False}
