"""What the comparison of API documents takes for the same, and what it looks behind."""

from typing import Any

from app.openapi.check import check_document
from app.openapi.diff import diff_documents, report
from app.openapi.reading import read_document
from app.seed.catalogue import SEED_DATA
from tests.support.api_documents import (
    TEXT,
    Json,
    answering,
    compare,
    document,
    named,
    sending,
    shape,
)


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
    old = answering(named("Order"), schemas={"Order": shape(a=TEXT)})
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
        node = shape(leaf=leaf, children={"type": "array", "items": named("Node")})
        return answering(named("Node"), schemas={"Node": node})

    assert compare(tree(TEXT), tree({"type": "integer"})) == [
        ("Node .leaf", "breaking type-changed: it was string and is integer")
    ]


ORDER, ITEM = named("Order"), named("Item")


def shop(order: Json, item: Json) -> Json:
    """Two operations return an order, a third its items, which know their order."""
    content = {"application/json": {"schema": ORDER}}
    items = {"application/json": {"schema": {"type": "array", "items": ITEM}}}
    paths = {
        path: {"get": {"responses": {"200": {"description": "", "content": given}}}}
        for path, given in (("/a", content), ("/b", content), ("/items", items))
    }
    return document(paths, schemas={"Order": order, "Item": item})


def test_change_of_a_named_schema_counts_once_with_the_places_that_show_it() -> None:
    old = shop(shape(item=ITEM, old=TEXT), shape(order=ORDER, name=TEXT))
    new = shop(shape(item=ITEM), shape(order=ORDER, name={"type": "integer"}))
    places = tuple(f"GET {path} response 200 application/json" for path in ("/a", "/b", "/items"))
    found = diff_documents(old, new)
    assert {
        subject: [(change.where, change.places, change.first_places) for change in changes]
        for subject, changes in found.items()
    } == {
        ("schema", "Order"): [(".old", 3, places)],
        ("schema", "Item"): [(".name", 3, places)],
    }
    told = report(found)
    assert (told.breaking.changes, told.breaking.places) == (2, 6)
    assert (told.non_breaking.changes, told.non_breaking.places) == (0, 0)


def test_shallow_changes_come_first_and_what_is_left_out_is_counted() -> None:
    def order(leaf: Json) -> Json:
        deep = shape(**{f"part{number}": leaf for number in range(300)})
        return answering(shape(deep=shape(parts=deep), total=leaf))

    found = diff_documents(order(TEXT), order({"type": "integer"}))
    whole, cut = report(found), report(found, most=2)
    assert (whole.breaking.changes, whole.breaking.left_out) == (301, 0)
    assert (cut.breaking.changes, cut.breaking.places, cut.breaking.left_out) == (301, 301, 299)
    assert [change.where for group in cut.breaking.groups for change in group.changes] == [
        "response 200 application/json .total",
        "response 200 application/json .deep.parts.part0",
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
        ("POST paid payload application/json", 'breaking enum-value-added: "b" can now occur')
    ]


def test_parameters_of_a_webhook_are_what_the_client_gets() -> None:
    def hook(*parameters: Json) -> Json:
        called = {"post": {"parameters": [*parameters], "responses": {}}}
        return document(webhooks={"paid": called})

    event = {"name": "X-Event", "in": "header", "required": True, "schema": {"enum": ["a"]}}
    looser = {**event, "required": False, "schema": {"enum": ["a", "b"]}}
    place = "POST paid header parameter 'X-Event'"
    assert compare(hook(event), hook(looser)) == [
        (place, "breaking parameter-optional: it is now optional"),
        (place, 'breaking enum-value-added: "b" can now occur'),
    ]
    assert compare(hook(), hook(event)) == [(place, "safe parameter-added: it is new")]
    assert compare(hook(event), hook()) == [
        (place, "breaking parameter-removed: it is no longer sent")
    ]


def test_documents_of_the_example_catalogue_are_good_and_differ() -> None:
    folders = sorted((SEED_DATA / "apis").iterdir())
    assert len(folders) == 5
    for folder in folders:
        old, new = (read_document(path.read_bytes()) for path in sorted(folder.iterdir()))
        for read in (old, new):
            check_document(read, size_bytes=0)
        assert report(diff_documents(old, new)).non_breaking.changes > 0
