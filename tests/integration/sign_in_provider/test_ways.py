"""The ways in and out: by the provider, by passwords, or not at all."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, expect

from tests.support.browser import keep_picture
from tests.support.portal_client import PASSWORD, alert, as_browser, problem, run_replica
from tests.support.portal_process import Environment, serve
from tests.support.portal_site import Site, Visitor, visit
from tests.support.sign_in_provider import (
    ROLES,
    Claims,
    SignInProvider,
    begin,
    run_provider,
    sign_in,
)


def test_sign_out_ends_the_session_at_the_provider_too(
    portal: TestClient, provider: SignInProvider
) -> None:
    provider.know("selma", email="selma@example.com")
    sign_in(portal, provider, "selma")
    token = portal.get("/api/v1/me").json()["csrf_token"]
    page = portal.post("/sign-out", data={"csrf_token": token})
    [url] = re.findall(r'http-equiv="refresh" content="0; url=([^"]*)"', page.text)
    way = urlsplit(url.replace("&amp;", "&"))
    query = {name: value for name, [value] in parse_qs(way.query).items()}
    assert url.startswith(f"{provider.url}/oauth2/end_session?")
    assert query.pop("id_token_hint").count(".") == 2
    back = "http://portal.localhost/sign-in"
    assert query == {"client_id": "devportal", "post_logout_redirect_uri": back}
    assert portal.get("/api/v1/me").status_code == 401


def test_provider_that_is_away_is_told_and_the_way_on_kept(environment: Environment) -> None:
    away = (503, "The sign-in provider does not answer.")
    with run_provider() as other:
        settings = other.settings()
    with run_replica(environment, **settings) as client:
        answer = as_browser(client).get("/sign-in/provider?next=/teams")
        assert alert(answer) == away
        assert answer.headers["retry-after"]
        assert 'href="/sign-in/provider?next=%2Fteams"' in answer.text
        # Passwords are a way in as well.
        assert client.post("/sign-in", data=AS_PAULA).status_code == 303
    with run_provider() as other, run_replica(environment, **other.settings()) as client:
        back = other.approve(begin(as_browser(client), "/teams"), "paula")
        other.forge = _fail
        answer = client.get(back)
        assert alert(answer) == away
        assert 'href="/sign-in/provider?next=%2Fteams"' in answer.text


AS_PAULA = {"email": "paula@example.com", "password": PASSWORD}


def _fail(_: Claims) -> str:
    raise RuntimeError("broken for this test")


OFF = "signing in with a password is switched off: sign in with single sign-on"
LINK = "/admin/users/00000000-0000-4000-8000-000000000000/password-link"


def test_without_password_login_every_route_of_passwords_refuses_and_no_page_offers_one(
    environment: Environment, provider: SignInProvider
) -> None:
    settings = provider.settings(PASSWORD_LOGIN_ENABLED="false", REGISTRATION_OPEN="true")
    provider.know("root", email="admin@example.com")
    with run_replica(environment, **settings) as client:
        portal = as_browser(client)
        page = portal.get("/sign-in").text
        assert "Sign in with single sign-on" in page
        assert 'type="password"' not in page
        assert "/register" not in page
        sign_in(portal, provider, "root")
        token = portal.get("/api/v1/me").json()["csrf_token"]
        assert "assword" not in portal.get("/admin/users").text
        programs = {"Accept": "application/json", "X-CSRF-Token": token}
        asked = [
            ("POST", "/api/v1/auth/login", AS_PAULA),
            ("POST", "/api/v1/auth/register", AS_PAULA),
            ("POST", "/api/v1/auth/password", {"current_password": "a", "new_password": "b"}),
            ("POST", "/api/v1/auth/password-link", {"token": "a", "new_password": "b"}),
            ("POST", "/api/v1/admin/users", {"email": "new@example.com"}),
            ("POST", f"/api/v1{LINK}", {}),
            *(("GET", path, None) for path in ("/register", "/password-link", "/account/password")),
            *(("POST", path, None) for path in ("/sign-in", "/register", "/password-link")),
            *(("POST", path, None) for path in ("/account/password", "/admin/users/new", LINK)),
            ("GET", "/admin/users/new", None),
        ]
        for method, path, body in asked:
            answer = portal.request(method, path, json=body, headers=programs)
            assert (path, problem(answer)) == (path, (403, OFF))


def test_sign_ins_are_limited(environment: Environment, provider: SignInProvider) -> None:
    few = {**environment, **provider.settings(), "LOGIN_ATTEMPTS_PER_MINUTE": "1"}
    with run_replica(few) as client:
        portal = as_browser(client)
        for path in ("/sign-in/provider", "/sign-in/callback"):
            assert [portal.get(path).status_code for _ in range(4)][-1] == 429


@pytest.fixture(scope="module")
def site(environment: Environment, provider: SignInProvider) -> Iterator[Site]:
    """Another site than the provider's."""
    settings = provider.settings(OIDC_NAME="Example ID", OIDC_ROLES=ROLES)
    with serve({**environment, **settings}) as (_, url):
        yield Site(url.replace("127.0.0.1", "localhost"), PASSWORD)


@pytest.fixture
def visitor(browser: Browser, site: Site) -> Iterator[Visitor]:
    with visit(browser, site) as found:
        # The provider's pages ask for a style that no machine without the internet gets.
        found.page.route("https://cdn.jsdelivr.net/**", lambda route: route.fulfill(body=""))
        yield found


def test_person_signs_in_with_groups_and_out_again_in_a_browser(
    visitor: Visitor, provider: SignInProvider
) -> None:
    page = visitor.page
    provider.know("ines", email="ines@example.com", groups=["payments", "staff"])
    visitor.go("/account/keys")
    keep_picture(page, "sign-in-with-provider")
    page.set_viewport_size({"width": 390, "height": 844})
    keep_picture(page, "sign-in-with-provider-phone")
    page.get_by_role("link", name="Sign in with Example ID").click()
    page.get_by_placeholder("sub").first.fill("ines")
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_role("heading", name="API keys", level=1)).to_be_visible()
    visitor.go("/teams/payments")
    expect(page.get_by_role("main").get_by_text("ines@example.com")).to_be_visible()
    keep_picture(page, "sign-in-with-provider-team")
    page.locator("summary", has_text="Your account").click()
    expect(page.locator(".menu-panel")).to_contain_text("Member")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="End session").click()
    expect(page.get_by_role("heading", name="Sign in", level=1)).to_be_visible()
    assert page.url == f"{visitor.site.url}/sign-in"
    visitor.go("/account/keys")
    expect(page.get_by_role("link", name="Sign in with Example ID")).to_be_visible()
    assert visitor.complaints == []
