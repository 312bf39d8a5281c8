"""Answers that no provider has given, or not to this browser, let nobody in."""

import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient

from tests.support.portal_client import alert
from tests.support.portal_process import Environment
from tests.support.sign_in_provider import (
    NOT_BEGUN,
    NOT_GOOD,
    Claims,
    SignInProvider,
    begin,
    by_another_key,
    by_the_shared_secret,
    events_of,
    sign_in,
    without_signature,
)

Attack = Callable[[TestClient, SignInProvider], httpx.Response]


def replay_the_answer(portal: TestClient, provider: SignInProvider) -> httpx.Response:
    back = provider.approve(begin(portal), "mallory")
    assert portal.get(back).status_code == 303
    kept = portal.cookies
    kept.clear()
    [state] = parse_qs(urlsplit(back).query)["state"]
    kept.set("devportal-sign-in", state)
    return portal.get(back)


def replay_the_code(portal: TestClient, provider: SignInProvider) -> httpx.Response:
    used = provider.approve(begin(portal), "mallory")
    assert portal.get(used).status_code == 303
    portal.cookies.clear()
    [code] = parse_qs(urlsplit(used).query)["code"]
    [state] = parse_qs(urlsplit(begin(portal)).query)["state"]
    return portal.get("/sign-in/callback", params={"code": code, "state": state})


def use_another_browsers_answer(portal: TestClient, provider: SignInProvider) -> httpx.Response:
    back = provider.approve(begin(portal), "mallory")
    portal.cookies.clear()
    begin(portal)
    return portal.get(back)


def answer_with(**wrong: str) -> Attack:
    """The good answer, but for these."""

    def answer(portal: TestClient, provider: SignInProvider) -> httpx.Response:
        back = urlsplit(provider.approve(begin(portal), "mallory"))
        query = {name: value for name, [value] in parse_qs(back.query).items()}
        return portal.get(back.path, params={**query, **wrong})

    return answer


def forge(change: Callable[[SignInProvider, Claims], str]) -> Attack:
    """The good answer, but for its id_token."""

    def answer(portal: TestClient, provider: SignInProvider) -> httpx.Response:
        provider.forge = lambda claims: change(provider, claims)
        return sign_in(portal, provider, "mallory")

    return answer


def signed(**wrong: object) -> Attack:
    return forge(lambda provider, claims: provider.sign({**claims, **wrong}))


LONG_AGO = int(time.time()) - 7200


@pytest.mark.parametrize(
    ("attack", "said", "reason"),
    [
        (answer_with(state="forged"), NOT_BEGUN, "state is another browser's"),
        (use_another_browsers_answer, NOT_BEGUN, "state is another browser's"),
        (replay_the_answer, NOT_BEGUN, "state is used or too old"),
        (replay_the_code, NOT_GOOD, "the code was refused: invalid_grant"),
        (answer_with(code="forged"), NOT_GOOD, "the code was refused: invalid_grant"),
        (answer_with(iss="https://evil.example"), NOT_GOOD, "iss names another provider"),
        (
            answer_with(error="access_denied", code=""),
            "The sign-in provider has not signed you in: try again.",
            "the provider says 'access_denied'",
        ),
        (signed(nonce="forged"), NOT_GOOD, "id_token: invalid_claim: Invalid claim: 'nonce'"),
        (
            signed(iss="https://evil.example"),
            NOT_GOOD,
            "id_token: invalid_claim: Invalid claim: 'iss'",
        ),
        (signed(aud="another"), NOT_GOOD, "id_token: invalid_claim: Invalid claim: 'aud'"),
        (
            signed(aud=["devportal", "another"]),
            NOT_GOOD,
            "id_token: missing_claim: Missing claim: 'azp'",
        ),
        (signed(exp=LONG_AGO), NOT_GOOD, "id_token: expired_token: The token is expired"),
        (signed(sub=""), NOT_GOOD, "id_token: invalid_claim: Invalid claim: 'sub'"),
        (signed(sub="ada"), NOT_GOOD, "userinfo is another person's"),
        (
            forge(lambda _, claims: without_signature(claims)),
            NOT_GOOD,
            "id_token: unsupported_algorithm: Algorithm of 'none' is not allowed",
        ),
        (forge(lambda _, claims: by_another_key(claims)), NOT_GOOD, "id_token: bad_signature:"),
        (
            forge(lambda _, claims: by_the_shared_secret(claims)),
            NOT_GOOD,
            "id_token: unsupported_algorithm: Algorithm of 'HS256' is not allowed",
        ),
        (
            forge(lambda _, claims: "no.token"),
            NOT_GOOD,
            "id_token: decode_error: Invalid JSON Web Signature",
        ),
    ],
)
def test_forged_answer_lets_nobody_in(
    attack: Attack,
    said: str,
    reason: str,
    portal: TestClient,
    provider: SignInProvider,
    environment: Environment,
) -> None:
    provider.know("mallory", email="mallory@example.com", groups=["admins"])
    answer = attack(portal, provider)
    assert alert(answer) == (403, said)
    assert "devportal-access" not in answer.headers.get("set-cookie", "")
    assert portal.get("/api/v1/me").status_code == 401
    assert events_of(environment, "user:unknown")[-1] == ("login.fail", "oidc", reason)
    provider.forge = None
    assert sign_in(portal, provider, "mallory").status_code == 303


def test_way_on_is_the_portals_own(portal: TestClient, provider: SignInProvider) -> None:
    target = "//evil.example"
    provider.know("petra", email="petra@example.com")
    assert sign_in(portal, provider, "petra", target).headers["location"] == "/"
    assert portal.get("/sign-in/provider", params={"next": target}).headers["location"] == "/"
