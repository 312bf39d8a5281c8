"""Signing in at a provider in a browser."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import keep_picture
from tests.support.portal_client import PASSWORD
from tests.support.portal_process import Environment, serve
from tests.support.portal_site import Site, Visitor, visit
from tests.support.sign_in_client import NOT_BEGUN, NOT_GOOD, ROLES
from tests.support.sign_in_provider import SignInProvider


@pytest.fixture(scope="module")
def site(environment: Environment, provider: SignInProvider) -> Iterator[Site]:
    """Another site than the provider's."""
    settings = provider.settings(OIDC_NAME="Example ID", OIDC_ROLES=ROLES)
    with serve({**environment, **settings}) as (_, url):
        yield Site(url.replace("127.0.0.1", "localhost"), PASSWORD)


@pytest.fixture
def visitor(browser: Browser, site: Site, provider: SignInProvider) -> Iterator[Visitor]:
    with visit(browser, site) as found:
        # The provider's pages ask for a style that no machine without the internet gets.
        found.page.route("https://cdn.jsdelivr.net/**", lambda route: route.fulfill(body=""))
        yield found
    provider.forge = None


def approve(visitor: Visitor, subject: str) -> None:
    """Sign in on the provider's page."""
    visitor.page.get_by_placeholder("sub").first.fill(subject)
    visitor.page.get_by_role("button", name="Authorize").click()


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
    approve(visitor, "ines")
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


def forge_state(visitor: Visitor, provider: SignInProvider) -> None:
    visitor.page.goto(re.sub("state=[^&]*", "state=forged", visitor.page.url))


def forge_claim(name: str) -> Callable[[Visitor, SignInProvider], None]:
    def forge(visitor: Visitor, provider: SignInProvider) -> None:
        provider.forge = lambda claims: provider.sign({**claims, name: "https://evil.example"})

    return forge


@pytest.mark.parametrize(
    ("harm", "said"),
    [(forge_state, NOT_BEGUN), (forge_claim("nonce"), NOT_GOOD), (forge_claim("iss"), NOT_GOOD)],
)
def test_forged_answer_is_told_on_the_page_to_sign_in(
    harm: Callable[[Visitor, SignInProvider], None],
    said: str,
    visitor: Visitor,
    provider: SignInProvider,
) -> None:
    page = visitor.page
    provider.know("petra", email="petra@example.com")
    visitor.go("/sign-in")
    page.get_by_role("link", name="Sign in with Example ID").click()
    harm(visitor, provider)
    approve(visitor, "petra")
    expect(page.get_by_role("alert")).to_have_text(said)
    keep_picture(page, "sign-in-with-provider-refused")
    provider.forge = None
    page.get_by_role("link", name="Sign in with Example ID").click()
    approve(visitor, "petra")
    expect(page.get_by_role("heading", name="Catalogue", level=1)).to_be_visible()
