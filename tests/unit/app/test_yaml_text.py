"""YAML from strangers: what it means, what is refused, and that it comes back as it was."""

from typing import Any

import pytest

from app.yaml_text import YamlError, dump_document, load_documents

_MEANT = [
    ("a: yes\nb: on\nc: 2020-01-01\nd: 012", {"a": "yes", "b": "on", "c": "2020-01-01", "d": 12}),
    ("[~, null, '', 0o14, 0x1f, -3, 1e3, .5]", [None, None, "", 12, 31, -3, 1000.0, 0.5]),
    ("200: a\n1.10: b\ntrue: c", {"200": "a", "1.10": "b", "true": "c"}),
    ("a: &x {b: 1}\nc: {<<: *x, d: 2}", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}),
    ("a: {<<: [&x {b: 1}, {b: 2, c: 3}], c: 4}", {"a": {"b": 1, "c": 4}}),
    ("a: !!float 1\nb: !!int 2", {"a": 1, "b": 2}),
    ("a: !!str 12\n'<<': 1", {"a": "12", "<<": 1}),
    ("a: &x '<<'\n*x : 1", {"a": "<<", "<<": 1}),
]
_TWICE = "\n".join(f"x{n}: &x{n} [*x{n - 1}, *x{n - 1}]" for n in range(1, 26))
_REFUSED = [
    ("&a [*a]", "line 1: should not refer to itself or to nothing"),
    (
        "a:\n  - !!binary xx",
        "line 2: should have no tag but !!str (got 'tag:yaml.org,2002:binary')",
    ),
    ("a: !python/object {}", "line 1: should have no tag (got '!python/object')"),
    ("[1]: a", "line 1: should have a text as its key"),
    ("<<: 1", "line 1: should have a mapping, or a list of them, as its <<"),
    ("a: [1", "line 2, column 1: should be YAML (got: did not find expected ',' or ']')"),
    ("[" * 101 + "]" * 101, "line 1: should be nested at most 100 deep"),
    (f"x0: &x0 [1]\n{_TWICE}", "line 19: should have at most 1000000 values in all"),
    (
        f"a: 0x{'F' * 5000}",
        "should be plain YAML (got: a number of more than 1000 digits)",
    ),
    (
        f"a: 0o{'7' * 5000}",
        "should be plain YAML (got: a number of more than 1000 digits)",
    ),
    (
        f"a: &a {'x' * 1_000_000}\nb: [{'*a, ' * 20}]",
        "line 2: should have at most 16777216 characters in all, with aliases written out",
    ),
]


@pytest.mark.parametrize(("text", "value"), _MEANT, ids=range(len(_MEANT)))
def test_scalars_and_merges_mean_what_yaml_1_2_says(text: str, value: Any) -> None:
    assert list(load_documents(text)) == [value]


@pytest.mark.parametrize(("text", "mistake"), _REFUSED, ids=range(len(_REFUSED)))
def test_yaml_that_json_does_not_have_is_refused_with_its_place(text: str, mistake: str) -> None:
    with pytest.raises(YamlError) as caught:
        list(load_documents(text))
    assert str(caught.value) == mistake


def test_written_yaml_is_read_as_it_was() -> None:
    texts = [
        "1e3",
        "0o14",
        "yes",
        "null",
        "~",
        "",
        ".5",
        "012",
        "1_000",
        "2020-01-01",
        "a: b",
        "# c",
    ]
    value = {text: [text, {"x": text}] for text in texts} | {"numbers": [1, 1e20, -0.5, True, None]}
    assert list(load_documents(dump_document(value))) == [value]
