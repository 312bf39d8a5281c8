"""The portal as someone new meets it: one walk through it, watched for every complaint."""

import httpx
from playwright.sync_api import Browser, expect

from tests.support.browser import keep_picture
from tests.support.portal_client import bearer
from tests.support.portal_site import ADMIN, Site, Visitor, visit


def test_tour_from_sign_in_to_the_audit_trail(browser: Browser, site: Site) -> None:
    with visit(browser, site) as visitor:
        visitor.sign_in()
        keep_picture(visitor.page, "portal-catalogue")
        _find_by_search(visitor)
        _read_the_interface(visitor)
        _compare_its_versions(visitor)
        key = _create_key(visitor)
        _call_the_api(site, key)
        _see_it_in_the_audit(visitor)
        assert visitor.complaints == []


def _find_by_search(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("combobox", name="Search").press_sequentially("tour a", delay=20)
    hit = page.get_by_role("option").filter(has_text="api default/tour-api")
    expect(hit).to_be_visible()
    keep_picture(page, "portal-search")
    hit.click()
    expect(page.get_by_role("heading", name="Tour API", level=1)).to_be_visible()
    expect(page.get_by_role("region", name="Graph of relations")).to_be_visible()
    keep_picture(page, "portal-entity")


def _read_the_interface(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("navigation", name="This entry").get_by_role("link", name="API").click()
    page.get_by_role("link", name="Read version 2.0.0").click()
    page.get_by_role("link", name="/visits").click()
    expect(page.get_by_role("heading", name="Responses")).to_be_visible()
    keep_picture(page, "portal-interface")


def _compare_its_versions(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("navigation", name="This entry").get_by_role("link", name="API").click()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("1 change may break clients of 1.0.0.")).to_be_visible()
    expect(page.get_by_role("region", name="Breaking changes")).to_contain_text("DELETE /visits")
    keep_picture(page, "portal-comparison")


def _create_key(visitor: Visitor) -> str:
    page = visitor.page
    page.get_by_role("navigation", name="Main").get_by_role("link", name="API keys").click()
    page.get_by_label("Purpose").fill("Tour")
    page.get_by_role("button", name="Create").click()
    key = page.locator("#new-key").inner_text()
    assert key.startswith("dpk_")
    keep_picture(page, "portal-keys")
    visitor.go("/account/keys")
    assert key not in page.content()
    return key


def _call_the_api(site: Site, key: str) -> None:
    answer = httpx.get(f"{site.url}/api/v1/entities", headers=bearer(key))
    assert answer.status_code == 200
    assert answer.json()["items"]


def _see_it_in_the_audit(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Audit").click()
    page.get_by_label("Action", exact=True).fill("api_key.create")
    page.get_by_role("button", name="Filter").click()
    newest = page.get_by_role("row").nth(1)
    expect(newest).to_contain_text(ADMIN)
    expect(newest).to_contain_text("api_key.create")
    keep_picture(page, "portal-audit")
