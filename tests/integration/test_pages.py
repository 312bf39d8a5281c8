"""The pages a developer opens, in a real browser."""

from playwright.sync_api import expect

from benchmarks.harness.portal_stack import PortalStack
from tests.support.browser import keep_picture, open_page


def test_adminer_logs_in_with_one_click_and_shows_the_database(
    running_stack: PortalStack,
) -> None:
    with open_page(running_stack.output("adminer_url")) as page:
        keep_picture(page, "adminer-login")
        page.get_by_role("button", name="Login").click()
        expect(page.get_by_role("link", name="alembic_version").first).to_be_visible()
        keep_picture(page, "adminer-database")


def test_redis_commander_shows_the_keys(running_stack: PortalStack) -> None:
    running_stack.run_in("redis-commander", "sh", "-c", "true")
    with open_page(running_stack.output("redis_commander_url")) as page:
        page.wait_for_load_state("networkidle")
        expect(page.locator("#keyTree")).to_contain_text("redis:6379")
        keep_picture(page, "redis-commander")


def test_documentation_lists_the_routes(running_stack: PortalStack) -> None:
    with open_page(running_stack.output("docs_url")) as page:
        expect(page.get_by_text("/health", exact=True).first).to_be_visible()
        keep_picture(page, "docs")
