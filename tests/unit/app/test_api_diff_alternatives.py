"""Alternatives of a schema: which are the same ones, and what it means that one comes or goes."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.api_documents import TEXT, Json, answering, compare, named, sending, shape

A, B = named("A"), named("B")
NULL = {"type": "null"}
SCHEMAS = {"A": shape(x=TEXT), "B": shape(y=TEXT), "Page<A>": shape(z=TEXT)}
PAGE = named("Page%3CA%3E")


def changes(place: Callable[..., Json], old: Any, new: Any, then: Json | None = None) -> list[str]:
    found = compare(place(old, schemas=SCHEMAS), place(new, schemas={**SCHEMAS, **(then or {})}))
    return [change for _, change in found]


@pytest.mark.parametrize(
    ("single", "several", "name"),
    [
        (A, {"oneOf": [A, B]}, "B"),
        (A, {"anyOf": [B, A]}, "B"),
        (A, {"oneOf": [A, B], "discriminator": {"propertyName": "x"}}, "B"),
        (A, {"oneOf": [A, B], "type": "object", "description": "one of them"}, "B"),
        (PAGE, {"oneOf": [named("Page<A>"), B]}, "B"),
        (B, {"oneOf": [B, PAGE]}, "Page<A>"),
        (shape(p=A), shape(p={"oneOf": [A, B]}), "B"),
        # As OpenAPI 3.1 writes what may be null.
        ({"anyOf": [A, NULL]}, {"anyOf": [A, B, NULL]}, "B"),
    ],
)
def test_schema_that_becomes_one_of_several_is_an_alternative_and_the_others_are_new(
    single: Json, several: Json, name: str
) -> None:
    is_new = f"alternative-added: '{name}' is a new alternative"
    is_gone = f"alternative-removed: '{name}' is no longer an alternative"
    assert changes(sending, single, several) == [f"safe {is_new}"]
    assert changes(answering, single, several) == [f"breaking {is_new}"]
    assert changes(sending, several, single) == [f"breaking {is_gone}"]
    assert changes(answering, several, single) == [f"safe {is_gone}"]


def test_null_beside_a_list_of_alternatives_is_one_of_them() -> None:
    """As pydantic writes an optional union whose members a property tells apart."""
    union = {"oneOf": [A, B]}
    optional, flat = {"anyOf": [union, NULL]}, {"oneOf": [A, B, NULL]}
    is_new = "alternative-added: 'null' is a new alternative"
    is_gone = "alternative-removed: 'null' is no longer an alternative"
    assert changes(answering, union, optional) == [f"breaking {is_new}"]
    assert changes(sending, union, optional) == [f"safe {is_new}"]
    assert changes(sending, optional, union) == [f"breaking {is_gone}"]
    assert changes(sending, flat, optional) == changes(answering, optional, flat) == []


def test_words_that_explain_a_schema_may_move_to_its_alternatives() -> None:
    """Pydantic's own title of a property, when `str` becomes `str | int`."""
    single = {**TEXT, "title": "X"}
    several = {"anyOf": [TEXT, {"type": "integer"}], "title": "X"}
    assert changes(sending, single, several) == [
        "safe alternative-added: 'integer' is a new alternative"
    ]
    assert changes(answering, several, single) == [
        "safe alternative-removed: 'integer' is no longer an alternative"
    ]


def test_schema_that_becomes_one_of_several_is_still_compared() -> None:
    then = {"A": shape(x={"type": "integer"})}
    assert changes(sending, A, {"oneOf": [A, B]}, then) == [
        "safe alternative-added: 'B' is a new alternative",
        "breaking type-changed: it was string and is integer",
    ]


@pytest.mark.parametrize(
    ("beside", "change"),
    [
        ({"required": ["x"]}, "property-required: 'x' is now required"),
        ({"minProperties": 1}, "limit-changed: minProperties was not set and is 1"),
        ({"allOf": [{"required": ["x"]}]}, "property-required: 'x' is now required"),
    ],
)
def test_what_stands_beside_alternatives_holds_for_each(beside: Json, change: str) -> None:
    several = {"oneOf": [A, B], **beside}
    is_new = "safe alternative-added: 'B' is a new alternative"
    assert changes(sending, A, several) == [is_new, f"breaking {change}"]


ONE, ANY = {"oneOf": [A, B]}, {"anyOf": [A, B, TEXT]}
LESS = {"anyOf": [A, TEXT]}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({**ONE, **ANY}, {**ONE, **LESS}),
        ({**ONE, **ANY}, {"allOf": [LESS, ONE]}),
        ({"allOf": [ONE, ANY]}, {"allOf": [ONE, LESS]}),
        ({"allOf": [ANY, ONE]}, {"allOf": [ONE, LESS]}),
    ],
)
def test_each_list_of_alternatives_is_compared(old: Json, new: Json) -> None:
    found = "alternative-removed: 'B' is no longer an alternative"
    assert changes(sending, old, new) == [f"breaking {found}"]
    assert changes(answering, old, new) == [f"safe {found}"]


def test_list_of_alternatives_beside_another_narrows() -> None:
    both = {**ONE, "anyOf": [A, TEXT]}
    found = "alternatives-changed: it must now be one of 'A', 'string' as well"
    assert changes(sending, ONE, both) == [f"breaking {found}"]
    assert changes(answering, ONE, both) == [f"safe {found}"]
    found = "alternatives-changed: it need no longer be one of 'A', 'string' as well"
    assert changes(sending, both, ONE) == [f"safe {found}"]
    assert changes(answering, both, ONE) == [f"breaking {found}"]


def test_comparison_of_alternatives_that_contain_themselves_ends() -> None:
    own = {"oneOf": [A, B], "required": ["x"], "properties": {"x": A}}
    assert changes(sending, B, A, {"A": own}) == [
        "safe alternative-added: 'A' is a new alternative",
        "breaking property-required: 'x' is now required",
    ]
