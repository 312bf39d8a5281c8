"""Access tokens: what is accepted, and above all what is not."""

import time
import uuid
from typing import Any

import jwt
import pytest

from app.config import Config
from app.exceptions import NotSignedInError
from app.services.tokens import AccessTokens

_USER = uuid.UUID("5dd6d5ac-cb3a-412b-bc6f-7852b37f144e")


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {"iss": "devportal", "aud": "devportal", "sub": str(_USER), "sid": "s"}
    return {**good, "iat": now, "exp": now + 60, **changes}


def refusal(config: Config, token: str) -> str:
    with pytest.raises(NotSignedInError) as caught:
        AccessTokens(config).read(token)
    return caught.value.detail


def test_signed_token_tells_user_and_session(config: Config) -> None:
    tokens = AccessTokens(config)
    found = tokens.read(tokens.sign(_USER, "of-mine"))
    assert (found.user_id, found.session_id) == (_USER, "of-mine")


def test_token_expires_after_the_minutes_of_the_setting(config: Config) -> None:
    key = config.jwt_secret_key.get_secret_value()
    token = AccessTokens(config).sign(_USER, "s")
    found = jwt.decode(token, key, ["HS256"], audience="devportal")
    assert found["exp"] - found["iat"] == 30 * 60
    past = int(time.time()) - 1
    expired = jwt.encode(claims(exp=past), key, "HS256")
    assert refusal(config, expired) == "the access token has expired"


def test_token_of_a_replica_whose_clock_is_ahead_is_good_at_once(config: Config) -> None:
    key = config.jwt_secret_key.get_secret_value()
    ahead = jwt.encode(claims(iat=int(time.time()) + 5), key, "HS256")
    assert AccessTokens(config).read(ahead).session_id == "s"


def test_token_without_one_of_its_claims_is_refused(config: Config) -> None:
    key = config.jwt_secret_key.get_secret_value()
    for name in claims():
        rest = {claim: value for claim, value in claims().items() if claim != name}
        assert refusal(config, jwt.encode(rest, key, "HS256")) == "the access token is not valid"


@pytest.mark.parametrize("changes", [{"aud": "other"}, {"iss": "other"}, {"sub": "no uuid"}])
def test_token_for_something_else_is_refused(config: Config, changes: dict[str, str]) -> None:
    key = config.jwt_secret_key.get_secret_value()
    token = jwt.encode(claims(**changes), key, "HS256")
    assert refusal(config, token) == "the access token is not valid"


def test_no_other_algorithm_or_key_is_accepted(config: Config) -> None:
    key = config.jwt_secret_key.get_secret_value()
    tokens = {
        "unsigned": jwt.encode(claims(), "", "none"),
        "another hash": jwt.encode(claims(), key * 2, "HS512"),
        "another key": jwt.encode(claims(), "x" * 32, "HS256"),
        "key of the header": jwt.encode(claims(), "x" * 32, "HS256", {"kid": "/dev/null"}),
        "no token": "a.b.c",
        "nothing": "",
        "not even text": "\0",
    }
    for name, token in tokens.items():
        assert refusal(config, token) == "the access token is not valid", name
