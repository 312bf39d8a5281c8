"""API keys on real stores."""

import pytest
from fastapi.testclient import TestClient

from tests.support.portal_client import (
    Person,
    bearer,
    log_in,
    problem,
    program,
    run_replica,
    user_id,
)
from tests.support.portal_process import Environment, ask

BAD_KEY = (401, "the API key is not valid")


def test_key_is_shown_once_and_stored_as_its_hash(olga: Person, environment: Environment) -> None:
    made = olga.post("/me/api-keys", {"name": "once", "scopes": ["catalogue:read"], "days": 30})
    key = made.json()["key"]
    assert key.startswith(f"dpk_{made.json()['prefix']}_")
    assert key not in olga.get("/me/api-keys").text
    query = f"select to_jsonb(k)::text from api_key k where prefix = '{made.json()['prefix']}'"
    [(row,)] = ask(environment, query)
    # The secret itself may have underscores.
    assert key.removeprefix(f"dpk_{made.json()['prefix']}_") not in str(row)
    [days] = ask(environment, "select max(expires_at - created_at)::text from api_key")
    assert days == ("30 days",)


def test_key_does_what_its_scopes_allow_and_nothing_else(olga: Person, admin: Person) -> None:
    key = program(olga, "catalogue:read")
    assert key.get("/teams").status_code == 200
    assert key.get("/me").json()["scopes"] == ["catalogue:read"]
    session_only = (403, "this needs a session, not an API key")
    assert problem(key.get("/me/api-keys")) == session_only
    assert problem(key.post("/auth/logout")) == session_only
    audit = program(admin, "audit:read")
    assert audit.get("/admin/audit").status_code == 200
    assert problem(audit.get("/teams")) == (403, "this needs the scope catalogue:read")


@pytest.mark.parametrize(
    ("email", "scope", "role"),
    [
        ("olga@example.com", "audit:read", "member"),
        ("vera@example.com", "catalogue:write", "viewer"),
    ],
)
def test_key_above_its_owners_role_is_not_made(
    replica: TestClient, email: str, scope: str, role: str
) -> None:
    refused = log_in(replica, email).post("/me/api-keys", {"name": "too much", "scopes": [scope]})
    assert problem(refused) == (403, f"scopes: {scope} is above the role {role}")


def test_key_loses_what_its_owner_loses(replica: TestClient, admin: Person) -> None:
    milo = log_in(replica, "milo@example.com")
    key = program(milo, "catalogue:read", "catalogue:write")
    milos_id = user_id(admin, "milo@example.com")
    admin.ask("PATCH", f"/admin/users/{milos_id}", json={"role": "viewer"})
    me = key.get("/me").json()
    assert (me["role"], me["scopes"]) == ("viewer", ["catalogue:read"])


def test_revoked_and_expired_keys_are_told_as_unknown_ones_are_on_every_replica(
    olga: Person, other: TestClient, environment: Environment
) -> None:
    revoked, expired = program(olga, "catalogue:read"), program(olga, "catalogue:read")
    # Each replica keeps what it knows of a key.
    assert revoked.at(other).get("/teams").status_code == 200
    prefixes = [key.headers["Authorization"].split("_")[1] for key in (revoked, expired)]
    listed = olga.get("/me/api-keys").json()["items"]
    [key_id] = [key["id"] for key in listed if key["prefix"] == prefixes[0]]
    assert olga.ask("DELETE", f"/me/api-keys/{key_id}").status_code == 204
    past = f"update api_key set expires_at = now() where prefix = '{prefixes[1]}'"
    ask(environment, past)
    for key in (revoked, expired, Person(olga.client, bearer("dpk_0123456789ab_nothing"))):
        assert problem(key.get("/me")) == problem(key.at(other).get("/teams")) == BAD_KEY


def test_prefix_alone_or_with_another_secret_is_no_key(olga: Person) -> None:
    key = program(olga, "catalogue:read").headers["Authorization"].removeprefix("Bearer ")
    other = program(olga, "catalogue:read").headers["Authorization"].removeprefix("Bearer ")
    prefix = "_".join(key.split("_")[:2])
    secret = other.split("_", 2)[2]
    forged = (prefix, f"{prefix}_", f"{prefix}_{secret}", key[:-1], f"{key}x", "dpk_", "dpk_%_%")
    for token in forged:
        assert problem(Person(olga.client, bearer(token)).get("/me")) == BAD_KEY, token


def test_nobody_revokes_another_ones_key(olga: Person, admin: Person) -> None:
    program(olga, "catalogue:read")
    key_id = olga.get("/me/api-keys").json()["items"][0]["id"]
    assert problem(admin.ask("DELETE", f"/me/api-keys/{key_id}")) == (404, "there is no such key")


def test_key_lives_a_year_at_most(olga: Person) -> None:
    wanted = {"name": "for ever", "scopes": ["catalogue:read"], "days": 366}
    assert problem(olga.post("/me/api-keys", wanted)) == (
        422,
        "body.days: Input should be less than or equal to 365",
    )


def test_nobody_has_more_than_twenty_keys(replica: TestClient) -> None:
    sami = log_in(replica, "sami@example.com")
    for _ in range(20):
        program(sami, "catalogue:read")
    one_more = sami.post("/me/api-keys", {"name": "21", "scopes": ["catalogue:read"]})
    assert problem(one_more) == (409, "you have 20 keys: revoke one first")


def test_last_use_is_written_once_for_many_uses(
    environment: Environment, olga: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long the uses take.
    monkeypatch.setattr("app.composition.KEY_USE_FLUSH_SECONDS", 3600)
    key = program(olga, "catalogue:read")
    prefix = key.headers["Authorization"].split("_")[1]
    query = f"select last_used_at is null, xmin::text from api_key where prefix = '{prefix}'"
    [before] = ask(environment, query)
    with run_replica(environment) as client:
        for _ in range(20):
            assert key.at(client).get("/teams").status_code == 200
        assert ask(environment, query) == [before]
    # A replica that ends writes what it has.
    [(is_null, version)] = ask(environment, query)
    assert before[0] is True
    assert is_null is False
    assert version != before[1]
