"""Sessions on a real PostgreSQL and Redis: begun, kept up, ended on every replica."""

import pytest
from fastapi.testclient import TestClient

from tests.support.portal_client import (
    PASSWORD,
    Person,
    bearer,
    log_in,
    problem,
    run_replica,
    user_id,
)
from tests.support.portal_process import Environment, ask, finish, run_portal, start

ENDED = (401, "the session has ended")
NEW_PASSWORD = "velvet-harbour-thimble"


def test_wrong_password_and_unknown_address_are_told_alike_and_audited_apart(
    replica: TestClient, environment: Environment
) -> None:
    for email in ("petra@example.com", "my-password@example.com"):
        given = {"email": email, "password": "wrong"}
        answer = replica.post("/api/v1/auth/login", json=given)
        assert problem(answer) == (401, "the e-mail address or the password is wrong")
    found = ask(
        environment,
        "select actor, actor_kind, target from audit_event where action = 'login.fail'"
        " order by id desc limit 2",
    )
    assert found == [
        ("anonymous", "anonymous", "user:unknown"),
        ("anonymous", "anonymous", "user:petra@example.com"),
    ]


def refresh(client: TestClient, token: str) -> Person:
    answer = client.post("/api/v1/auth/refresh", json={"refresh_token": token})
    assert answer.status_code == 200
    tokens = answer.json()
    return Person(client, bearer(tokens["access_token"]), tokens["refresh_token"])


def test_refresh_token_is_good_once_and_its_reuse_ends_the_session(
    replica: TestClient, other: TestClient, environment: Environment
) -> None:
    olga = log_in(replica, "olga@example.com")
    renewed = refresh(other, olga.refresh_token)
    assert renewed.get("/me").status_code == 200
    again = replica.post("/api/v1/auth/refresh", json={"refresh_token": olga.refresh_token})
    assert problem(again) == ENDED
    assert problem(renewed.get("/me")) == ENDED
    newest = replica.post("/api/v1/auth/refresh", json={"refresh_token": renewed.refresh_token})
    assert problem(newest) == ENDED
    query = "select action from audit_event order by id desc limit 1"
    assert ask(environment, query) == [("session.reuse",)]


@pytest.mark.parametrize("form", ["{session}.anything", "{session}", "{session}.{secret}.anything"])
def test_made_up_refresh_token_ends_nobodys_session(replica: TestClient, form: str) -> None:
    olga = log_in(replica, "olga@example.com")
    session, secret, _ = olga.refresh_token.split(".")
    made_up = form.format(session=session, secret=secret)
    answer = replica.post("/api/v1/auth/refresh", json={"refresh_token": made_up})
    assert problem(answer) == ENDED
    replica.get("/", headers={"Cookie": f"devportal-refresh={made_up}"})
    assert olga.get("/me").status_code == 200
    assert refresh(replica, olga.refresh_token).get("/me").status_code == 200


def test_one_of_my_sessions_can_be_ended_but_nobody_elses(
    replica: TestClient, other: TestClient
) -> None:
    here, there = log_in(replica, "milo@example.com"), log_in(other, "milo@example.com")
    stranger = log_in(replica, "nadia@example.com")
    listed = here.get("/auth/sessions").json()["items"]
    [mine] = [item["id"] for item in listed if item["current"]]
    [others] = [item["id"] for item in listed if item["id"] != mine]
    refused = stranger.ask("DELETE", f"/auth/sessions/{others}")
    assert problem(refused) == (404, "there is no such session")
    assert here.ask("DELETE", f"/auth/sessions/{others}").status_code == 204
    assert problem(there.get("/me")) == ENDED
    assert [item["id"] for item in here.get("/auth/sessions").json()["items"]] == [mine]


def test_new_password_ends_all_other_sessions(replica: TestClient, other: TestClient) -> None:
    here, there = log_in(replica, "sami@example.com"), log_in(other, "sami@example.com")
    change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    changed = here.post("/auth/password", change)
    assert changed.status_code == 200
    assert [problem(person.get("/me")) for person in (here, there)] == [ENDED, ENDED]
    assert Person(other, bearer(changed.json()["access_token"])).get("/me").status_code == 200
    log_in(other, "sami@example.com", NEW_PASSWORD)
    old = {"email": "sami@example.com", "password": PASSWORD}
    assert other.post("/api/v1/auth/login", json=old).status_code == 401


def test_administrator_gets_the_first_password_again_and_loses_every_session(
    replica: TestClient, other: TestClient, environment: Environment
) -> None:
    admin = log_in(replica, "admin@example.com")
    change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert admin.post("/auth/password", change).status_code == 200
    there = log_in(other, "admin@example.com", NEW_PASSWORD)
    assert there.get("/me").status_code == 200
    said = run_portal(environment, "reset-admin")
    assert said == "reset-admin: admin@example.com has the first password again\n"
    assert [problem(there.at(one).get("/me")) for one in (replica, other)] == [ENDED, ENDED]
    log_in(replica, "admin@example.com")
    query = "select actor, actor_kind, target from audit_event where action = 'user.reset-password'"
    assert ask(environment, query) == [("operator", "system", "user:admin@example.com")]
    nobody = {**environment, "ADMIN_EMAIL": "nobody@example.com"}
    assert finish(start(nobody, "app", "reset-admin")) == (
        1,
        "reset-admin: nobody@example.com should be somebody's address (got nobody's). Run "
        "`create-admin`.\n",
    )


def test_password_that_breaks_a_rule_changes_nothing(replica: TestClient) -> None:
    selma = log_in(replica, "selma@example.com")
    for current, new, refusal in (
        ("wrong", NEW_PASSWORD, (403, "current_password: is wrong")),
        (PASSWORD, "selma@example.com", (422, "password: should not be the e-mail address")),
    ):
        change = {"current_password": current, "new_password": new}
        assert problem(selma.post("/auth/password", change)) == refusal
    assert selma.get("/me").status_code == 200


def test_role_holds_from_the_next_request_on(replica: TestClient, other: TestClient) -> None:
    admin, nadia = log_in(replica, "admin@example.com"), log_in(other, "nadia@example.com")
    path = f"/admin/users/{user_id(admin, 'nadia@example.com')}"
    refused = (403, "this needs the role admin (yours is member)")
    assert problem(nadia.get("/admin/users")) == refused
    assert admin.ask("PATCH", path, json={"role": "admin"}).status_code == 200
    assert nadia.get("/admin/users").status_code == 200
    assert admin.ask("PATCH", path, json={"role": "member"}).status_code == 200
    assert problem(nadia.get("/admin/users")) == refused


def test_team_holds_from_the_next_request_on(replica: TestClient, other: TestClient) -> None:
    olga, nadia = log_in(replica, "olga@example.com"), log_in(other, "nadia@example.com")
    assert nadia.get("/me").json()["teams"] == {}
    path = "/teams/platform/members/nadia@example.com"
    assert olga.ask("PUT", path, json={"role": "member"}).status_code == 204
    assert nadia.get("/me").json()["teams"] == {"platform": "member"}
    assert olga.ask("DELETE", path).status_code == 204
    assert nadia.get("/me").json()["teams"] == {}


def test_last_owner_of_a_team_stays_one(replica: TestClient) -> None:
    olga, path = log_in(replica, "olga@example.com"), "/teams/platform/members/olga@example.com"
    refused = (409, "the last owner of a team has to remain one")
    assert problem(olga.ask("DELETE", path)) == refused
    assert problem(olga.ask("PUT", path, json={"role": "member"})) == refused


def test_registration_is_closed_unless_a_setting_opens_it(
    replica: TestClient, environment: Environment
) -> None:
    wanted = {"email": "new@example.com", "name": "New", "password": NEW_PASSWORD}
    closed = replica.post("/api/v1/auth/register", json=wanted)
    assert problem(closed) == (403, "registration is closed: ask an administrator")
    with run_replica(environment, REGISTRATION_OPEN="true") as client:
        first = client.post("/api/v1/auth/register", json=wanted)
        again = client.post("/api/v1/auth/register", json={**wanted, "password": NEW_PASSWORD * 2})
        told = {"detail": "log in with this address and password"}
        assert [(a.status_code, a.json()) for a in (first, again)] == [(202, told)] * 2
        assert log_in(client, "new@example.com", NEW_PASSWORD).get("/me").json()["role"] == "viewer"


def test_first_administrator_of_production_changes_the_password_first(
    environment: Environment,
) -> None:
    production = {
        **environment,
        "APP_ENV": "production",
        "ADMIN_EMAIL": "First@example.com",
        "ADMIN_PASSWORD": "from-the-stack",
    }
    said = run_portal(production, "create-admin")
    assert said.splitlines()[-1] == "create-admin: first@example.com was created"
    with run_replica(production) as client:
        first = log_in(client, "first@example.com", "from-the-stack")
        due = (403, "change your password first: POST /api/v1/auth/password")
        for path in ("/admin/users", "/teams", "/auth/sessions", "/me/api-keys"):
            assert problem(first.get(path)) == due
        assert first.get("/me").json()["must_change_password"] is True
        change = {"current_password": "from-the-stack", "new_password": NEW_PASSWORD}
        tokens = first.post("/auth/password", change).json()
        renewed = Person(client, bearer(tokens["access_token"]))
        assert renewed.get("/admin/users").status_code == 200
