"""Changes of schemas: each rule once for a client that sends and one that gets."""

from typing import Any

import pytest

from tests.support.api_documents import TEXT, answering, compare, sending, shape

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
