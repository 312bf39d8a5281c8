"""Accounts that administrators make, and the links by which their owners choose a password."""

import re

import pytest
from fastapi.testclient import TestClient

from tests.support.portal_client import (
    PASSWORD,
    Person,
    log_in,
    problem,
    program,
    run_replica,
    user_id,
)
from tests.support.portal_process import Environment, ask

BAD_KEY = (401, "the API key is not valid")
ENDED = (401, "the session has ended")
CHOSEN = "velvet-harbour-thimble"
GONE = (
    410,
    "it was used, replaced or taken back, or has expired: ask an administrator for another",
)


def invite(admin: Person, email: str, **more: object) -> str:
    """A new account's token."""
    answer = admin.post("/admin/users", {"email": email, **more})
    assert answer.status_code == 201, answer.text
    return token_of(answer.json()["password_link"]["url"])


def token_of(url: str) -> str:
    found = re.fullmatch(r"http://portal\.localhost/password-link\?token=([\w-]{43})", url)
    assert found, url
    return found[1]


def renew(admin: Person, email: str) -> str:
    answer = admin.post(f"/admin/users/{user_id(admin, email)}/password-link")
    assert answer.status_code == 201, answer.text
    return token_of(answer.json()["url"])


def choose(client: TestClient, token: str, password: str = CHOSEN) -> tuple[int, str]:
    given = {"token": token, "new_password": password}
    answer = client.post("/api/v1/auth/password-link", json=given)
    return (204, "") if answer.status_code == 204 else problem(answer)


def test_invited_person_signs_in_with_role_and_team_once_a_password_is_chosen(
    admin: Person, other: TestClient, environment: Environment
) -> None:
    token = invite(admin, "Ines@example.com", role="viewer", teams={"search": "owner"})
    refused = other.post(
        "/api/v1/auth/login", json={"email": "ines@example.com", "password": CHOSEN}
    )
    assert refused.status_code == 401
    assert choose(other, token, "short")[0] == 422
    assert choose(other, token) == (204, "")
    assert choose(other, token, CHOSEN * 2) == GONE
    me = log_in(other, "ines@example.com", CHOSEN).get("/me").json()
    assert (me["role"], me["teams"], me["must_change_password"]) == (
        "viewer",
        {"search": "owner"},
        False,
    )
    found = "select action, actor from audit_event where target = 'user:ines@example.com'"
    assert ask(environment, f"{found} and action like 'user.%' order by id") == [
        ("user.create", "admin@example.com"),
        ("user.password-link", "admin@example.com"),
        ("user.password-by-link", "anonymous"),
    ]
    kept = "select count(*) from audit_event where detail::text like '%{}%'"
    assert ask(environment, kept.format(token)) == [(0,)]


def test_used_expired_replaced_and_wrong_links_are_told_alike(
    admin: Person, other: TestClient, environment: Environment
) -> None:
    first = invite(admin, "lena@example.com")
    second = renew(admin, "lena@example.com")
    expired = invite(admin, "late@example.com")
    of_late = "(select id from user_account where email = 'late@example.com')"
    ask(environment, f"update password_link set expires_at = now() where user_id = {of_late}")
    assert choose(other, second) == (204, "")
    assert [choose(other, token) for token in (first, second, expired, "wrong")] == [GONE] * 4
    page = other.get(f"/password-link?token={expired}", headers={"Accept": "text/html"})
    assert page.status_code == 410
    assert "<h1>The link is not valid</h1>" in page.text


def test_resetting_ends_sessions_once_the_new_password_is_chosen(
    admin: Person, replica: TestClient, other: TestClient
) -> None:
    milo = log_in(replica, "milo@example.com")
    token = renew(admin, "milo@example.com")
    assert milo.get("/me").status_code == 200
    assert choose(other, token) == (204, "")
    assert problem(milo.get("/me")) == ENDED
    log_in(replica, "milo@example.com", CHOSEN)


def test_deactivating_ends_sessions_and_takes_link_and_keys_for_good(
    admin: Person, replica: TestClient, other: TestClient
) -> None:
    petra = log_in(other, "petra@example.com")
    key = program(petra, "catalogue:read")
    token = renew(admin, "petra@example.com")
    path = f"/admin/users/{user_id(admin, 'petra@example.com')}"
    assert key.get("/teams").status_code == 200
    user = admin.ask("PATCH", path, json={"is_active": False}).json()
    assert (user["is_active"], user["link_expires_at"]) == (False, None)
    assert problem(petra.get("/me")) == ENDED
    assert problem(key.get("/teams")) == BAD_KEY
    given = {"email": "petra@example.com", "password": PASSWORD}
    assert other.post("/api/v1/auth/login", json=given).status_code == 401
    inactive = (409, "the account is deactivated: activate it first")
    assert problem(admin.post(f"{path}/password-link")) == inactive
    assert admin.ask("PATCH", path, json={"is_active": True}).status_code == 200
    assert choose(other, token) == GONE
    assert problem(petra.get("/me")) == ENDED
    assert problem(key.at(replica).get("/teams")) == BAD_KEY
    log_in(other, "petra@example.com")


def test_last_administrator_who_can_sign_in_stays_one(admin: Person) -> None:
    invite(admin, "later-admin@example.com", role="admin")
    path = f"/admin/users/{user_id(admin, 'admin@example.com')}"
    for change in ({"role": "member"}, {"is_active": False}):
        refused = (409, "the last administrator has to remain one")
        assert problem(admin.ask("PATCH", path, json=change)) == refused


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [
        ({"email": "paula@example.com"}, (409, "paula@example.com has an account already")),
        (
            {"email": "no-team@example.com", "teams": {"none": "member"}},
            (422, "teams: there is no team 'none'"),
        ),
    ],
)
def test_account_that_cannot_be_is_refused_and_leaves_nothing(
    admin: Person, wanted: dict[str, object], refusal: tuple[int, str]
) -> None:
    before = len(admin.get("/admin/users?limit=200").json()["items"])
    assert problem(admin.post("/admin/users", wanted)) == refusal
    assert len(admin.get("/admin/users?limit=200").json()["items"]) == before


def test_tries_of_links_are_limited(environment: Environment) -> None:
    with run_replica({**environment, "LOGIN_ATTEMPTS_PER_MINUTE": "2"}) as client:
        assert [choose(client, "wrong")[0] for _ in range(3)] == [410, 410, 429]
