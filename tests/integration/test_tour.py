"""The portal as someone new meets it: one walk through it, watched for every complaint."""

import re

import httpx
from playwright.sync_api import Browser, expect

from tests.support.browser import keep_picture
from tests.support.portal_stack import PortalStack
from tests.support.portal_visitor import ADMIN, Visitor, admin_password, visit


def test_tour_from_sign_in_to_the_audit_trail(browser: Browser, running_stack: PortalStack) -> None:
    url = running_stack.output("portal_url")
    with visit(browser, url, locale="en-US") as visitor:
        visitor.sign_in(ADMIN, admin_password(running_stack))
        _look_at_the_catalogue(visitor)
        _find_by_search(visitor)
        _read_the_interface(visitor)
        key = _create_key(visitor)
        _call_the_api(url, key)
        _see_it_in_the_audit(visitor)
        assert visitor.complaints == []


def _look_at_the_catalogue(visitor: Visitor) -> None:
    page = visitor.page
    visitor.go("/")
    expect(page.get_by_role("heading", name="Catalogue", level=1)).to_be_visible()
    keep_picture(page, "portal-catalogue")


def _find_by_search(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("combobox", name="Search").press_sequentially("checkout a", delay=20)
    hit = page.get_by_role("option").filter(has_text="Checkout API").first
    expect(hit).to_be_visible()
    keep_picture(page, "portal-search")
    hit.click()
    expect(page.get_by_role("heading", name="Checkout API", level=1)).to_be_visible()
    expect(page.get_by_role("region", name="Graph of relations")).to_be_visible()
    keep_picture(page, "portal-entity")


def _read_the_interface(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("link", name=re.compile("^API")).last.click()
    page.get_by_role("link", name=re.compile("^Read version")).first.click()
    operation = page.locator("details.operation").first
    operation.locator("summary").click()
    expect(operation.get_by_role("heading", name="Answers")).to_be_visible()
    keep_picture(page, "portal-interface")
    page.get_by_role("link", name="Try it").click()
    expect(page.locator(".swagger-ui .opblock").first).to_be_visible()


def _create_key(visitor: Visitor) -> str:
    page = visitor.page
    visitor.go("/account/keys")
    page.get_by_label("What it is for").fill("Tour")
    page.get_by_role("button", name="Create").click()
    key = page.locator("#new-key").inner_text()
    assert key.startswith("dpk_")
    keep_picture(page, "portal-keys")
    visitor.go("/account/keys")
    assert key not in page.content()
    return key


def _call_the_api(url: str, key: str) -> None:
    answer = httpx.get(f"{url}/api/v1/entities", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 200
    assert answer.json()["items"]


def _see_it_in_the_audit(visitor: Visitor) -> None:
    page = visitor.page
    visitor.go("/admin/audit?action=api_key.create")
    expect(page.get_by_role("cell", name=ADMIN).first).to_be_visible()
    keep_picture(page, "portal-audit")
