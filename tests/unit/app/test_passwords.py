"""Passwords: what is accepted, and what a comparison costs."""

import argon2
import pytest

from app.exceptions import InvalidRequestError
from app.services.passwords import Passwords, check_new_password


@pytest.mark.parametrize(
    ("password", "refusal"),
    [
        ("elevenchars", "password: should be 12 to 128 characters (got 11)"),
        ("x" * 129, "password: should be 12 to 128 characters (got 129)"),
        ("PasswordPassword", "password: should not be one that many people use"),
        ("ababababababab", "password: should not be one that many people use"),
        ("qwertyuiopasdf", "password: should not be one that many people use"),
        ("210987654321", "password: should not be one that many people use"),
        ("Ada.Lovelace@example.com", "password: should not be the e-mail address"),
        ("ada.lovelace", "password: should not be the e-mail address"),
    ],
)
def test_password_that_is_guessed_first_is_refused(password: str, refusal: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        check_new_password(password, email="ada.lovelace@example.com")
    assert caught.value.detail == refusal


@pytest.mark.parametrize(
    "password",
    ["orbit lantern mosaic", "größer-als-gedacht", "🙂" * 6 + "🙃" * 5 + "x", "Tr0ub4dor&3xyz"],
)
def test_long_password_of_any_characters_is_accepted(password: str) -> None:
    check_new_password(password, email="ada@example.com")


async def test_same_letters_match_however_they_are_composed() -> None:
    stored = await Passwords().hash("gr\u00f6\u00dfer")
    assert await Passwords().matches("gro\u0308\u00dfer", stored)


async def test_unknown_account_costs_as_much_as_a_known_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verified: list[argon2.Parameters] = []

    def refuse(_hasher: argon2.PasswordHasher, stored: str, _password: str) -> bool:
        verified.append(argon2.extract_parameters(stored))
        return False

    monkeypatch.setattr(argon2.PasswordHasher, "verify", refuse)
    stored = await Passwords().hash("right")
    for hashed in (stored, None):
        assert not await Passwords().matches("wrong", hashed)
    assert verified == [argon2.extract_parameters(stored)] * 2


async def test_hash_is_argon2id_with_owasps_parameters() -> None:
    stored = await Passwords().hash("orbit lantern mosaic")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
