"""Someone who uses the portal's pages with a browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.support.browser import listen
from tests.support.portal_stack import PortalStack

ADMIN = "admin@example.com"


class Visitor:
    """A browser window; what its pages complain of is kept."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints = listen(page)

    def go(self, path: str) -> None:
        """Open a page of the portal and wait for all it loads."""
        self.page.goto(f"{self.url}{path}", wait_until="networkidle")

    def sign_in(self, email: str, password: str) -> None:
        """Sign in on the page for it."""
        self.go("/sign-in")
        self.page.get_by_label("E-mail address").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("main").get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_text("Your account", exact=True).first).to_be_attached()


@contextmanager
def visit(browser: Browser, url: str, **options: Any) -> Iterator[Visitor]:
    """A window with cookies of its own; `options` are the browser context's."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    try:
        yield Visitor(context.new_page(), url)
    finally:
        context.close()


def admin_password(stack: PortalStack) -> str:
    """The generated one; in development nobody has to change it."""
    return stack.run_in("app", "cat", "/run/secrets/admin_password").strip()
