"""The portal's pages behind Nginx: TLS, cookies bound to the host, a first password to change."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from benchmarks.harness.portal_stack import PortalStack
from benchmarks.harness.production import admin_password
from tests.support.browser import keep_picture
from tests.support.portal_site import ADMIN, Site, Visitor, visit

# When the other worker makes a network, Chromium gives up what it sends, and a password that was
# changed half-way cannot be changed again.
pytestmark = pytest.mark.alone
NEW_PASSWORD = "a new one for the tour of production"


@pytest.fixture
def visitor(browser: Browser, production_stack: PortalStack) -> Iterator[Visitor]:
    site = Site(production_stack.output("portal_url"), admin_password(production_stack))
    # Chromium has no option for an authority of one's own; other tests verify the certificate.
    with visit(browser, site, ignore_https_errors=True) as opened:
        yield opened


def change_password(visitor: Visitor, current: str, new: str) -> None:
    page = visitor.page
    visitor.go("/account/password")
    page.get_by_label("Current password").fill(current)
    page.get_by_label("New password").fill(new)
    page.get_by_role("main").get_by_role("button", name="Change").click()
    expect(page.get_by_text("Your password is changed.")).to_be_visible()


def test_first_password_has_to_be_changed_and_cookies_are_bound_to_the_host(
    visitor: Visitor,
) -> None:
    page, first = visitor.page, visitor.site.password
    visitor.go("/sign-in")
    page.get_by_label("E-mail address").fill(ADMIN)
    page.get_by_label("Password").fill(first)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Current password")).to_be_visible()
    keep_picture(page, "production-first-password")
    cookies = page.context.cookies()
    assert {(cookie.get("secure"), cookie.get("path")) for cookie in cookies} == {(True, "/")}
    assert all(cookie.get("name", "").startswith("__Host-") for cookie in cookies), cookies
    change_password(visitor, first, NEW_PASSWORD)
    expect(page.get_by_role("heading", name="Catalogue", level=1)).to_be_visible()
    keep_picture(page, "production-catalogue")
    change_password(visitor, NEW_PASSWORD, first)
    assert visitor.complaints == []
