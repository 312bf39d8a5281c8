"""Schemas that are made of several: what each of them says holds, in whichever order."""

from itertools import permutations
from typing import Any

import pytest

from tests.support.api_documents import TEXT, Json, answering, compare, named, sending, shape

NUMBER = {"type": "integer"}
LIST = {"type": "array"}


def test_property_that_a_child_describes_again_is_still_the_parents() -> None:
    own = {"properties": {"id": {"description": "in other words"}}}
    for child in ({"allOf": [named("Base"), own]}, {"allOf": [named("Base")], **own}):
        old, new = (
            answering(named("Child"), schemas={"Base": shape(id=schema), "Child": child})
            for schema in (NUMBER, TEXT)
        )
        assert compare(old, new) == [
            ("Child .id", "breaking type-changed: it was integer and is string")
        ]


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ({"default": "a"}, {"default": "b"}, 'default-changed: the default was "a" and is "b"'),
        ({}, {"maxLength": 5}, "limit-changed: maxLength was not set and is 5"),
        ({"description": "old"}, {"description": "new"}, ""),
    ],
)
def test_what_stands_beside_a_reference_holds_as_of_openapi_3_1(
    old: Json, new: Json, change: str
) -> None:
    def kind(beside: Json, version: str) -> Json:
        schemas = {"Kind": named("Text"), "Text": TEXT}
        return sending({**named("Kind"), **beside}, schemas=schemas, version=version)

    assert compare(kind(old, "3.0.3"), kind(new, "3.0.3")) == []
    found = [said for _, said in compare(kind(old, "3.1.0"), kind(new, "3.1.0"))]
    assert found == ([f"breaking {change}"] if change else [])


def test_what_stands_beside_a_reference_that_another_one_leads_to_holds() -> None:
    old, new = (
        sending(named("Kind"), schemas={"Kind": {**named("Text"), **beside}, "Text": TEXT})
        for beside in ({}, {"maxLength": 5})
    )
    [(_, change)] = compare(old, new)
    assert change == "breaking limit-changed: maxLength was not set and is 5"


def test_property_that_several_parts_take_from_one_schema_is_that_schema() -> None:
    def money(schema: Json) -> Json:
        parts = {"allOf": [shape(price=named("Money")), shape(price=named("Money"))]}
        return answering(parts, schemas={"Money": schema})

    assert compare(money(TEXT), money(NUMBER)) == [
        ("Money", "breaking type-changed: it was string and is integer")
    ]


@pytest.mark.parametrize(
    ("parts", "narrower", "rule"),
    [
        ([{"maxLength": 10}, {"maxLength": 100}], {"maxLength": 5}, "limit-changed"),
        ([{"minimum": 1}, {"minimum": 0}], {"minimum": 2}, "limit-changed"),
        # As OpenAPI 3.0 has it, and as 3.1.
        (
            [{"minimum": 1}, {"minimum": 0, "exclusiveMinimum": True}],
            {"minimum": 1, "exclusiveMinimum": True},
            "limit-changed",
        ),
        ([{"maximum": 1}, {"exclusiveMaximum": 2}], {"exclusiveMaximum": 1}, "limit-changed"),
        (
            [{**LIST, "items": TEXT}, {**LIST, "items": {"minLength": 1}}],
            {**LIST, "items": {**TEXT, "minLength": 2}},
            "limit-changed",
        ),
        (
            [{"additionalProperties": TEXT}, {"additionalProperties": True}],
            {"additionalProperties": {**TEXT, "minLength": 2}},
            "limit-changed",
        ),
        (
            [{"additionalProperties": TEXT}, {}],
            {"additionalProperties": False},
            "additional-properties-changed",
        ),
        ([{"uniqueItems": True, "maxItems": 9}, {"uniqueItems": False}], {"maxItems": 8},
         "limit-changed"),
        ([{"enum": [1, 2]}, {"enum": [2, 3]}], {"enum": [3]}, "enum-value-removed"),
    ],
)  # fmt: skip
def test_strictest_of_the_parts_holds(parts: list[Json], narrower: Json, rule: str) -> None:
    found = set[tuple[str, ...]]()
    for old in permutations(parts):
        assert compare(sending({"allOf": [*old]}), sending({"allOf": [*parts]})) == []
        for new in permutations([*parts, narrower]):
            sent = compare(sending({"allOf": [*old]}), sending({"allOf": [*new]}))
            found.add(tuple(change.partition(":")[0] for _, change in sent))
    assert found == {(f"breaking {rule}",)}


@pytest.mark.parametrize(
    ("keyword", "values", "said"),
    [
        ("pattern", ("^a", "z$", "^b"), "pattern-changed: pattern was ^a and z$ and is ^b and z$"),
        (
            "format",
            ("date", "x", "email"),
            "format-changed: format was date and x and is email and x",
        ),
        (
            "multipleOf",
            (2, 5, 3),
            "multiple-changed: multipleOf was 2 and 5 and is 3 and 5",
        ),
        ("not", (TEXT, LIST, NUMBER), "constraint-changed: not changed"),
    ],
)
def test_keyword_that_cannot_be_merged_is_compared_in_each_part(
    keyword: str, values: tuple[Any, Any, Any], said: str
) -> None:
    was, same, is_now = ({keyword: value} for value in values)
    for old in permutations([was, same]):
        for new in permutations([is_now, same]):
            found = compare(sending({"allOf": [*old]}), sending({"allOf": [*new]}))
            assert [change for _, change in found] == [f"breaking {said}"]


def test_property_is_read_only_if_any_part_says_so() -> None:
    read_only = shape(id={**TEXT, "readOnly": True})
    described = {"properties": {"id": {"description": "of the order"}}}
    assert compare(sending(shape()), sending({"allOf": [read_only, described]})) == []


def test_values_that_no_part_has_in_common_are_none() -> None:
    parts = [{"enum": [value]} for value in ("a", "b", "c")]
    [(_, change)] = compare(sending({"enum": ["c"]}), sending({"allOf": parts}))
    assert change == 'breaking enum-value-removed: "c" can no longer occur'


def test_comparison_of_parts_that_contain_themselves_ends() -> None:
    def tree(leaf: Any) -> Json:
        node = shape(leaf=leaf, next=named("Node"))
        own = {"allOf": [named("Node"), {"properties": {"next": named("Own")}}]}
        return answering(named("Own"), schemas={"Node": node, "Own": own})

    assert compare(tree(TEXT), tree(NUMBER)) == [
        ("Own .leaf", "breaking type-changed: it was string and is integer"),
    ]


@pytest.mark.parametrize(
    "own",
    [{**LIST, "items": named("A")}, {"type": "object", "additionalProperties": named("A")}],
)
def test_comparison_of_anything_with_what_contains_itself_ends(own: Json) -> None:
    [(_, change), *_] = compare(sending({}), sending(named("A"), schemas={"A": own}))
    assert change == f"breaking type-changed: it was anything and is {own['type']}"


def test_comparison_ends_where_properties_are_made_of_2_to_the_nth_sets_of_schemas() -> None:
    def chain(levels: int, leaf: Json) -> Json:
        schemas = {
            f"S{n}": shape(a=named(f"S{n + 1}"), b=named(f"S{n + 1}")) for n in range(levels)
        }
        schemas["S0"] = shape(a={"allOf": [named("S0"), named("S1")]}, b=named("S0"))
        return answering(named("S0"), schemas={**schemas, f"S{levels}": shape(x=leaf)})

    [(place, change)] = compare(chain(26, TEXT), chain(26, NUMBER))
    assert place.endswith(".x")
    assert change == "breaking type-changed: it was string and is integer"
