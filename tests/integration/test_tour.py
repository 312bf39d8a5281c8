"""The portal as someone new meets it: one walk through it, watched for every complaint.

The tools of development beside it show what they are for.

The pictures of docs/screenshots are taken here as well, see CONTRIBUTING.md.
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from benchmarks.harness.portal_stack import PortalStack
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


def test_adminer_logs_in_with_one_click_and_shows_the_database(
    browser: Browser, running_stack: PortalStack
) -> None:
    with browser.new_page() as page:
        page.goto(running_stack.output("adminer_url"))
        keep_picture(page, "adminer-login")
        page.get_by_role("button", name="Login").click()
        expect(page.get_by_role("link", name="alembic_version").first).to_be_visible()
        keep_picture(page, "adminer-database")


def test_redis_commander_shows_the_keys(browser: Browser, running_stack: PortalStack) -> None:
    with browser.new_page() as page:
        page.goto(running_stack.output("redis_commander_url"))
        expect(page.locator("#keyTree")).to_contain_text("redis:6379")
        keep_picture(page, "redis-commander")


_DESK: ViewportSize = {"width": 1280, "height": 800}
_PHONE: ViewportSize = {"width": 390, "height": 800}
_LARGE = "/entities/api/default/billing-api"
_CHECKOUT = "/entities/api/default/checkout-api"
_SERVICE = "/entities/component/default/checkout-service"
_THINGS = (
    *("account", "adjustment", "allowance", "agreement", "balance", "budget", "card", "charge"),
    *("contract", "coupon", "credit", "customer", "discount", "dispute", "invoice", "ledger"),
    *("mandate", "merchant", "meter", "order", "payment", "payout", "plan", "price", "product"),
    *("quote", "receipt", "refund", "report", "subscription", "transfer", "voucher"),
)
_OPERATIONS = (
    ("get", "", "List every"),
    ("post", "", "Create a new"),
    ("get", "/{id}", "Read one"),
    ("put", "/{id}", "Change one"),
    ("delete", "/{id}", "Delete one"),
    ("get", "/{id}/history", "What changed of one"),
)


@pytest.fixture(scope="module")
def large_api(site: Site) -> Iterator[None]:
    """An API of some two hundred operations."""
    with site.log_in() as client:
        _, _, kind, namespace, name = _LARGE.split("/")
        new = {"kind": kind, "namespace": namespace, "name": name, "title": "Billing API"}
        more = {"owner": "payments", "description": "Everything that is invoiced and paid."}
        client.post("/api/v1/entities", json={**new, **more}).raise_for_status()
        document = _document_of(_THINGS)
        client.put(f"/api/v1{_LARGE}/versions/3.2.0", json=document).raise_for_status()
        yield
        client.delete(f"/api/v1{_LARGE}", headers={"If-Match": "*"}).raise_for_status()


def _document_of(things: tuple[str, ...]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for thing, (method, rest, summary) in product(things, _OPERATIONS):
        in_path = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
        paths.setdefault(f"/{thing}s{rest}", {})[method] = {
            "tags": [f"{thing}s"],
            "summary": f"{summary} {thing}",
            "parameters": [in_path] if rest else [],
            "responses": {"200": {"description": "Done"}},
        }
    return {"openapi": "3.1.0", "info": {"title": "Billing", "version": "3.2.0"}, "paths": paths}


def _search(page: Page) -> None:
    page.get_by_role("combobox", name="Search").press_sequentially("checkout", delay=20)
    expect(page.get_by_role("option").first).to_be_visible()


def _open_menu(page: Page) -> None:
    page.locator(".menu summary").click()
    expect(page.get_by_role("link", name="Audit").last).to_be_visible()


def _show_graph(page: Page) -> None:
    page.evaluate("document.querySelector('.graph').scrollIntoView({block: 'center'})")


@pytest.mark.usefixtures("large_api")
@pytest.mark.parametrize(
    ("name", "path", "view", "act"),
    [
        ("catalogue", "/", _DESK, None),
        ("search", "/", _DESK, _search),
        ("entity", _SERVICE, _DESK, None),
        ("api-document", f"{_LARGE}/api/3.2.0", _DESK, None),
        ("comparison", f"{_CHECKOUT}/compare?from=1.4.0&to=2.0.0", _DESK, None),
        ("audit", "/admin/audit", _DESK, None),
        ("phone-menu", "/", _PHONE, _open_menu),
        ("phone-graph", "/entities/api/default/ledger-api", _PHONE, _show_graph),
        ("phone-api-document", f"{_LARGE}/api/3.2.0", _PHONE, None),
    ],
)
def test_picture_of_the_docs_is_taken_without_a_complaint(
    browser: Browser,
    site: Site,
    signed_in: Any,
    name: str,
    path: str,
    view: ViewportSize,
    act: Callable[[Page], None] | None,
) -> None:
    with visit(browser, site, storage_state=signed_in, viewport=view) as visitor:
        visitor.go(path)
        if act:
            act(visitor.page)
        assert visitor.complaints == []
        assert keep_picture(visitor.page, f"docs/{name}").stat().st_size < 150_000
