"""Sessions of browsers on real stores: cookies that renew themselves, changes that need a token."""

from collections.abc import Iterator

import jwt
import pytest
from fastapi.testclient import TestClient

from tests.support.portal_client import Person, log_in, problem

ACCESS, REFRESH = "devportal-access", "devportal-refresh"


@pytest.fixture
def browser(replica: TestClient) -> Iterator[Person]:
    """Someone who is signed in by cookies alone."""
    person = log_in(replica, "olga@example.com")
    replica.cookies.set(ACCESS, person.headers["Authorization"].removeprefix("Bearer "))
    replica.cookies.set(REFRESH, person.refresh_token)
    yield Person(replica, {}, person.refresh_token)
    replica.cookies.clear()


def with_token(browser: Person) -> Person:
    token = browser.get("/me").json()["csrf_token"]
    return Person(browser.client, {"X-CSRF-Token": token})


def test_cookie_signs_in_and_a_change_needs_the_token(browser: Person) -> None:
    assert browser.get("/me").json()["email"] == "olga@example.com"
    team = {"json": {"description": "Runs the ground."}}
    assert problem(browser.ask("PATCH", "/teams/platform", **team)) == (
        403,
        "a change by cookie needs the session's token as `x-csrf-token` or `csrf_token`",
    )
    assert with_token(browser).ask("PATCH", "/teams/platform", **team).status_code == 200


def test_expired_access_cookie_is_renewed_in_passing(browser: Person) -> None:
    browser.client.cookies.delete(ACCESS)
    answer = browser.get("/me")
    assert answer.json()["email"] == "olga@example.com"
    names = [line.partition("=")[0] for line in answer.headers.get_list("set-cookie")]
    assert names == [ACCESS, REFRESH]


def test_requests_side_by_side_with_one_refresh_cookie_keep_the_session(browser: Person) -> None:
    browser.client.cookies.delete(ACCESS)
    assert browser.get("/me").status_code == 200
    # The second one set out before the first one's cookies came.
    browser.client.cookies.clear()
    browser.client.cookies.set(REFRESH, browser.refresh_token)
    answer = browser.get("/me")
    assert answer.status_code == 200
    names = [line.partition("=")[0] for line in answer.headers.get_list("set-cookie")]
    assert names == [ACCESS]


def test_stale_cookies_are_forgotten(browser: Person) -> None:
    assert with_token(browser).post("/auth/logout").status_code == 204
    browser.client.cookies.clear()
    browser.client.cookies.set(REFRESH, browser.refresh_token)
    answer = browser.get("/me")
    assert problem(answer) == (401, "sign in, or send an API key as `Authorization: Bearer`")
    assert answer.headers.get_list("set-cookie") == [
        f'{name}=""; HttpOnly; Max-Age=0; Path=/; SameSite=lax' for name in (ACCESS, REFRESH)
    ]


def test_log_in_ignores_a_session_that_somebody_planted(browser: Person) -> None:
    planted = browser.client.get("/api/v1/auth/sessions").json()["items"]
    mine = log_in(browser.client, "milo@example.com")
    token = mine.headers["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["sid"] not in [session["id"] for session in planted]
