"""Whom a sign-in at a provider lets in, and with what."""

from fastapi.testclient import TestClient

from tests.support.portal_client import (
    alert,
    as_browser,
    log_in,
    problem,
    program,
    run_replica,
    user_id,
)
from tests.support.portal_process import Environment, ask
from tests.support.sign_in_provider import ROLES, SignInProvider, events_of, me, sign_in


def test_first_sign_in_makes_an_account_and_each_follows_the_groups(
    portal: TestClient, provider: SignInProvider, environment: Environment
) -> None:
    claims = {"email": "Grace@example.com", "name": "Grace Hopper"}
    provider.know("grace", **claims, groups=["payments", "nowhere", "staff"])
    answer = sign_in(portal, provider, "grace", "/teams/payments")
    assert (answer.status_code, answer.headers["location"]) == (303, "/teams/payments")
    grace = {"email": "grace@example.com", "role": "member", "teams": {"payments": "member"}}
    assert me(portal) == grace
    admin = log_in(portal, "admin@example.com")
    admin.ask("PUT", "/teams/platform/members/grace@example.com", json={"role": "member"})
    by_hand = {"platform": "member"}
    for groups, role, teams in (
        (["search", "admins", "staff"], "admin", {"search": "member", **by_hand}),
        (["search", "platform"], "viewer", {"search": "member", **by_hand}),
        (["staff"], "member", by_hand),
    ):
        # Another address there does not make another person of them.
        provider.know("grace", email="other@example.com", groups=groups)
        portal.cookies.clear()
        assert sign_in(portal, provider, "grace").headers["location"] == "/"
        assert me(portal) == {**grace, "role": role, "teams": teams}
    found = ask(environment, "select name from user_account where email = 'grace@example.com'")
    assert found == [("Grace Hopper",)]
    actions = [row[0] for row in events_of(environment, "user:grace@example.com")]
    assert actions == ["user.create", *["user.update"] * 4]
    given = ask(environment, "select action from audit_event where target = 'team:search'")
    assert given == [("team.member.put",), ("team.member.delete",)]


def test_existing_account_is_taken_by_its_verified_address_alone(
    portal: TestClient, provider: SignInProvider, environment: Environment
) -> None:
    unverified = "The sign-in provider has not verified your e-mail address: ask its administrator."
    provider.know("olga", email="olga@example.com", email_verified=False)
    assert alert(sign_in(portal, provider, "olga")) == (403, unverified)
    key = program(log_in(portal, "olga@example.com"), "catalogue:read")
    provider.know("olga", email="olga@example.com", groups=["staff"])
    assert sign_in(portal, provider, "olga").status_code == 303
    assert me(portal)["teams"] == {"platform": "owner"}
    # The account was an administrator's to make: what its owner had goes on.
    assert key.get("/teams").status_code == 200
    portal.cookies.clear()
    provider.know("stranger", email="olga@example.com")
    said = (
        "The account of your e-mail address belongs to another person at the sign-in provider: "
        "ask an administrator."
    )
    assert alert(sign_in(portal, provider, "stranger")) == (403, said)
    assert events_of(environment, "user:olga@example.com")[-1] == (
        "login.fail",
        "oidc",
        "the account has another subject",
    )
    admin = log_in(portal, "admin@example.com")
    path = f"/admin/users/{user_id(admin, 'olga@example.com')}"
    changed = admin.ask("PATCH", path, json={"has_identity": False})
    assert (changed.status_code, changed.json()["has_identity"]) == (200, False)
    assert sign_in(portal, provider, "stranger").status_code == 303


def test_registered_account_passes_to_the_owner_of_its_address_with_nothing_of_a_strangers(
    environment: Environment, provider: SignInProvider
) -> None:
    settings = provider.settings(REGISTRATION_OPEN="true")
    with run_replica(environment, **settings) as client:
        given = {"email": "hana@example.com", "password": "velvet-harbour-thimble"}
        assert client.post("/api/v1/auth/register", json=given).status_code == 202
        stranger = log_in(client, given["email"], given["password"])
        key = program(stranger, "catalogue:read")
        provider.know("hana", email="hana@example.com")
        assert sign_in(as_browser(client), provider, "hana").status_code == 303
        client.cookies.clear()
        assert problem(stranger.get("/me")) == (401, "the session has ended")
        assert problem(key.get("/teams")) == (401, "the API key is not valid")
        assert client.post("/api/v1/auth/login", json=given).status_code == 401


def test_deactivated_account_stays_out(
    portal: TestClient, provider: SignInProvider, environment: Environment
) -> None:
    provider.know("milo", email="milo@example.com")
    assert sign_in(portal, provider, "milo").status_code == 303
    portal.cookies.clear()
    admin = log_in(portal, "admin@example.com")
    path = f"/admin/users/{user_id(admin, 'milo@example.com')}"
    assert admin.ask("PATCH", path, json={"is_active": False}).status_code == 200
    told = (403, "Your account is deactivated: ask an administrator.")
    assert alert(sign_in(portal, provider, "milo")) == told
    assert events_of(environment, "user:milo@example.com")[-1][0] == "login.fail"


def test_last_administrator_stays_one_whatever_the_groups_say(
    environment: Environment, provider: SignInProvider
) -> None:
    settings = provider.settings(OIDC_ROLES=ROLES, PASSWORD_LOGIN_ENABLED="false")
    provider.know("root", email="admin@example.com", groups=["admins"])
    ask(environment, "update user_account set role = 'viewer' where email <> 'admin@example.com'")
    with run_replica(environment, **settings) as client:
        portal = as_browser(client)
        sign_in(portal, provider, "root")
        provider.know("root", email="admin@example.com", groups=[])
        portal.cookies.clear()
        sign_in(portal, provider, "root")
        assert me(portal)["role"] == "admin"
        assert events_of(environment, "user:admin@example.com")[-1] == (
            "user.update.refuse",
            "oidc",
            "last administrator",
        )
