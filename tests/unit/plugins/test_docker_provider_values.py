"""Values on the wire: what is unknown or secret stays so."""

from plugins.docker.redaction import Redaction
from plugins.docker.values import UNKNOWN, decode, encode, has_unknown
from tests.support.provider_client import wire


def test_values_come_back_as_they_were_sent() -> None:
    values = {
        "text": "x",
        "count": 3,
        "share": 0.5,
        "on": True,
        "none": None,
        "list": ["a", {"b": 1}],
        "later": UNKNOWN,
        "nested": {"later": [UNKNOWN]},
    }
    assert decode(encode(values, frozenset())).values == values


def test_whole_numbers_are_integers() -> None:
    assert type(decode(wire({"port": 8000})).values["port"]) is int


def test_secret_inputs_are_plain_values_whose_path_and_text_are_kept() -> None:
    struct = wire({"plain": "a"})
    struct.fields["envs"].list_value.values.add().string_value = "LEVEL=info"
    secret = wire({"x": "TOKEN=hidden"}, "x").fields["x"]
    struct.fields["envs"].list_value.values.append(secret)

    decoded = decode(struct)

    assert decoded.values == {"plain": "a", "envs": ["LEVEL=info", "TOKEN=hidden"]}
    assert decoded.secret_paths == {"envs[1]"}
    assert decoded.secret_names == {"envs"}
    assert decoded.secret_texts == ("TOKEN=hidden",)


def test_unknown_secret_is_unknown_and_secret() -> None:
    decoded = decode(wire({"password": UNKNOWN}, "password"))
    assert decoded.values == {"password": UNKNOWN}
    assert decoded.secret_names == {"password"}


def test_printed_form_of_values_shows_no_secret() -> None:
    assert "hidden" not in repr(decode(wire({"password": "hidden"}, "password")))


def test_properties_of_pulumi_itself_count_as_secret_but_not_as_texts_to_hide() -> None:
    decoded = decode(wire({"__inputs": {"name": "shop"}}, "__inputs"))
    assert decoded.secret_names == {"__inputs"}
    assert decoded.secret_texts == ()


def test_unknown_is_found_at_any_depth() -> None:
    assert has_unknown({"a": [{"b": UNKNOWN}]})
    assert not has_unknown({"a": [{"b": None}]})


def test_message_hides_a_secret_and_the_value_of_a_secret_variable() -> None:
    redact = Redaction(["TOKEN=s3cret-value", "other"])
    assert redact("got TOKEN=s3cret-value") == "got [secret]"
    assert redact("got s3cret-value, other") == "got [secret], [secret]"


def test_message_hides_the_lines_and_encodings_of_a_secret() -> None:
    redact = Redaction(["first line\nsecond line", "aGVsbG8gd29ybGQ="])
    assert redact("second line") == "[secret]"
    assert redact("Zmlyc3QgbGluZQpzZWNvbmQgbGluZQ==") == "[secret]"
    assert redact("hello world") == "[secret]"


def test_longer_secret_is_hidden_before_one_it_contains() -> None:
    assert Redaction(["abcd", "abcdef"])("abcdef") == "[secret]"


def test_secrets_too_short_to_hide_leave_the_message_readable() -> None:
    assert Redaction(["a", ""])("a cat") == "a cat"
