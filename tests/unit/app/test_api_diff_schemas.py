"""Changes of schemas: each rule once for a client that sends and one that gets."""

from typing import Any

import pytest

from tests.support.api_documents import TEXT, Json, answering, compare, named, sending, shape

MUST = {**TEXT, "must": True}
THREE = {"oneOf": [TEXT, {"type": "boolean"}, {"type": "array"}]}
TWO = {"oneOf": [TEXT, {"type": "boolean"}]}


def rules(changes: list[tuple[str, str]]) -> list[str]:
    return [change.partition(":")[0] for _, change in changes]


@pytest.mark.parametrize(
    ("rule", "wide", "narrow"),
    [
        ("type-changed", {"type": ["string", "null"]}, TEXT),
        ("type-changed", {"type": "number"}, {"type": "integer"}),
        # As OpenAPI 3.0 writes null, and as an alternative.
        ("type-changed", {"type": "string", "nullable": True}, TEXT),
        ("type-changed", {"anyOf": [TEXT, {"type": "null"}]}, TEXT),
        ("limit-changed", {"minimum": 1}, {"minimum": 2}),
        ("limit-changed", {}, {"maximum": 2}),
        ("limit-changed", {"minimum": 1}, {"exclusiveMinimum": 1}),
        ("limit-changed", {"maxLength": 9}, {"maxLength": 8}),
        ("limit-changed", {"minItems": 1}, {"minItems": 2}),
        ("unique-items-changed", {"type": "array"}, {"type": "array", "uniqueItems": True}),
        ("multiple-changed", {}, {"multipleOf": 2}),
        ("pattern-changed", TEXT, {**TEXT, "pattern": "^a"}),
        ("format-changed", {"format": "int64"}, {"format": "int32"}),
        ("enum-changed", TEXT, {**TEXT, "enum": ["a"]}),
    ],
)
def test_narrower_schema_breaks_those_who_send_and_a_wider_one_those_who_get(
    rule: str, wide: Json, narrow: Json
) -> None:
    assert rules(compare(sending(wide), sending(narrow))) == [f"breaking {rule}"]
    assert rules(compare(sending(narrow), sending(wide))) == [f"safe {rule}"]
    assert rules(compare(answering(wide), answering(narrow))) == [f"safe {rule}"]
    assert rules(compare(answering(narrow), answering(wide))) == [f"breaking {rule}"]


@pytest.mark.parametrize(
    ("old", "new", "sent", "answered"),
    [
        (THREE, TWO, "breaking alternative-removed", "safe alternative-removed"),
        (
            {"enum": ["a", "b"]},
            {"enum": ["a"]},
            "breaking enum-value-removed",
            "safe enum-value-removed",
        ),
        (
            {"enum": ["a"]},
            {"enum": ["a", "b"]},
            "safe enum-value-added",
            "breaking enum-value-added",
        ),
        (
            {"const": "a"},
            {"enum": ["a", "b"]},
            "safe enum-value-added",
            "breaking enum-value-added",
        ),
        (shape(a=TEXT), shape(), "breaking property-removed", "breaking property-removed"),
        (shape(), shape(a=TEXT), "safe property-added", "safe property-added"),
        (shape(), shape(a=MUST), "breaking property-required", "safe property-added"),
        (shape(a=TEXT), shape(a=MUST), "breaking property-required", "safe property-required"),
        (shape(a=MUST), shape(a=TEXT), "safe property-optional", "breaking property-optional"),
        (
            {"type": "object"},
            {"type": "object", "additionalProperties": False},
            "breaking additional-properties-changed",
            "safe additional-properties-changed",
        ),
        (TEXT, {"type": "integer"}, "breaking type-changed", "breaking type-changed"),
        (
            {"format": "date"},
            {"format": "email"},
            "breaking format-changed",
            "breaking format-changed",
        ),
        (
            {"pattern": "a"},
            {"pattern": "b"},
            "breaking pattern-changed",
            "breaking pattern-changed",
        ),
        ({"default": 1}, {"default": 2}, "breaking default-changed", "safe default-changed"),
        # What cannot be judged.
        ({}, {"not": TEXT}, "breaking constraint-changed", "breaking constraint-changed"),
        (TEXT, {**TEXT, "deprecated": True}, "safe deprecated", "safe deprecated"),
    ],
)
def test_change_of_a_schema_breaks_the_side_it_is_bad_for(
    old: Any, new: Any, sent: str, answered: str
) -> None:
    assert rules(compare(sending(old), sending(new))) == [sent]
    assert rules(compare(answering(old), answering(new))) == [answered]


COLOUR = named("Colour")


@pytest.mark.parametrize(
    ("schema", "rule"),
    [
        ({"type": "array", "prefixItems": [TEXT, COLOUR]}, "breaking"),
        ({"type": "object", "patternProperties": {"^a": COLOUR}}, "breaking"),
        ({"type": "object", "dependentSchemas": {"a": COLOUR}}, "breaking"),
        ({"type": "object", "propertyNames": COLOUR}, "breaking"),
        ({"type": "object", "unevaluatedProperties": COLOUR}, "breaking"),
        ({"type": "array", "contains": COLOUR}, "breaking"),
        ({"not": COLOUR}, "safe"),
        ({"allOf": [{"not": COLOUR}, {"not": {"type": "integer"}}]}, "safe"),
    ],
)
def test_schema_that_a_constraint_refers_to_is_compared(schema: Json, rule: str) -> None:
    old, new = (
        answering(schema, schemas={"Colour": {"enum": values}}) for values in (["a"], ["a", "b"])
    )
    assert compare(old, new) == [("Colour", f'{rule} enum-value-added: "b" can now occur')]


def test_condition_that_changes_breaks_clients_in_either_direction() -> None:
    old, new = (
        answering({"if": COLOUR, "then": TEXT}, schemas={"Colour": {"enum": values}})
        for values in (["a"], ["a", "b"])
    )
    for one, other in ((old, new), (new, old)):
        assert any("breaking enum-value" in change for _, change in compare(one, other))


def test_words_inside_of_a_constraint_are_no_difference() -> None:
    old, new = (
        answering({"type": "array", "prefixItems": [{**TEXT, "description": said}]})
        for said in ("old", "new")
    )
    assert compare(old, new) == []


@pytest.mark.parametrize("name", ["minLength", "minItems", "minProperties"])
def test_limit_that_holds_anyway_is_no_difference(name: str) -> None:
    for schema in ({}, {"allOf": [{name: 0}, {name: 0}]}):
        assert compare(sending(schema), sending({name: 0})) == []
        assert compare(sending({name: 0}), sending(schema)) == []
    [(_, change)] = compare(sending({name: 0}), sending({name: 1}))
    assert change == f"breaking limit-changed: {name} was 0 and is 1"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"exclusiveMinimum": 0}, {"minimum": 1}),
        ({"exclusiveMaximum": 10**400}, {"maximum": 10**400 - 1}),
        ({"minimum": 0.5}, {"minimum": 1}),
    ],
)
def test_limit_that_lets_the_same_whole_numbers_through_is_no_difference(
    old: Json, new: Json
) -> None:
    for given, other in ((old, new), (new, old)):
        whole, any_number = (
            compare(*(sending({"type": kind, **limit}) for limit in (given, other)))
            for kind in ("integer", "number")
        )
        assert (whole, len(any_number)) == ([], 1)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({"minimum": -10}, {"minimum": -5}, "minimum was -10 and is -5"),
        ({"maximum": -5}, {"maximum": -10}, "maximum was -5 and is -10"),
        ({"maximum": 0.5}, {"maximum": 0}, "maximum was 0.5 and is 0"),
        ({"maxLength": 1048577}, {"maxLength": 1048576}, "maxLength was 1048577 and is 1048576"),
        (
            {"maximum": 9007199254740993},
            {"exclusiveMaximum": 9007199254740993},
            "maximum was 9007199254740993 and is 9007199254740993 (excluded)",
        ),
        ({}, {"exclusiveMinimum": -1}, "minimum was not set and is -1 (excluded)"),
    ],
)
def test_limit_is_shown_as_it_is_written(old: Json, new: Json, said: str) -> None:
    [(_, change)] = compare(sending(old), sending(new))
    assert change == f"breaking limit-changed: {said}"


@pytest.mark.parametrize(
    "keyword",
    [
        *("required", "properties", "allOf", "oneOf", "anyOf", "enum", "type", "discriminator"),
        *("items", "additionalProperties", "prefixItems", "patternProperties", "minLength", "not"),
    ],
)
@pytest.mark.parametrize("value", [5, "a", None, [5], [{}], {"a": 5}])
def test_keyword_that_is_not_what_it_has_to_be_ends_no_comparison(keyword: str, value: Any) -> None:
    # The check looks at no schema of a header or a webhook, and at none of a large document.
    odd: Json = {keyword: value}
    for schema in (odd, shape(a=odd), {"oneOf": [odd, TEXT]}, {"allOf": [odd, TEXT]}):
        compare(sending(schema), sending({}))
        compare(answering({}), answering(schema))
        assert compare(sending(schema), sending(schema)) == []
