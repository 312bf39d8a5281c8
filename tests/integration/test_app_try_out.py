"""API documents tried out in a browser: at the portal itself for real, elsewhere as a command."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.support.browser import keep_picture
from tests.support.portal_client import PASSWORD
from tests.support.portal_process import Environment, serve
from tests.support.portal_site import Site, Visitor, visit

_PLACE = "/entities/api/default/ledger-api"
_VERSION = "2026.1"
_ANSWERS = {"200": {"description": "ok"}}
_BODY = {"application/json": {"schema": {"type": "object"}, "example": {"name": "", "scopes": []}}}
_ELSEWHERE = [{"url": "https://elsewhere.example.com/v1"}]
_DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Portal", "version": "1"},
    "servers": [{"url": "/api/v1"}],
    "paths": {
        "/me": {"get": {"responses": _ANSWERS}},
        "/me/api-keys": {"post": {"requestBody": {"content": _BODY}, "responses": _ANSWERS}},
        "/rates": {"get": {"servers": _ELSEWHERE, "responses": _ANSWERS}},
    },
}


@pytest.fixture(scope="module")
def site(environment: Environment) -> Iterator[Site]:
    with serve(environment) as (_, url):
        found = Site(url, PASSWORD)
        with found.log_in() as client:
            path = f"/api/v1{_PLACE}/versions/{_VERSION}"
            client.put(path, json=_DOCUMENT).raise_for_status()
        yield found


@pytest.fixture
def visitor(browser: Browser, site: Site) -> Iterator[Visitor]:
    with visit(browser, site) as found:
        found.sign_in()
        found.go(f"{_PLACE}/api/{_VERSION}/try")
        yield found


def execute(visitor: Visitor, method: str, path: str) -> Locator:
    """Try an operation out; where its answer stands."""
    operation = visitor.page.locator(f".opblock-{method}").filter(
        has=visitor.page.locator(f'[data-path="{path}"]')
    )
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    return operation.locator(".live-responses-table")


def test_operation_of_the_portal_itself_is_answered(visitor: Visitor) -> None:
    answer = execute(visitor, "get", "/me")
    expect(answer).to_contain_text('"email": "admin@example.com"')
    keep_picture(visitor.page, "try-out-own")
    assert visitor.page.get_by_text("This page can call only the portal.").count() == 0
    assert visitor.complaints == []


def test_change_of_the_portal_itself_carries_the_pages_token(visitor: Visitor) -> None:
    # Without the token it would be 403; with it, what is sent is judged.
    expect(execute(visitor, "post", "/me/api-keys")).to_contain_text("body.name")


def test_operation_elsewhere_is_shown_as_a_command_and_not_sent(visitor: Visitor) -> None:
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    answer = execute(visitor, "get", "/rates")
    expect(answer).to_contain_text("Not sent: copy the command above into a terminal.")
    command = visitor.page.locator(".curl-command")
    expect(command).to_contain_text("https://elsewhere.example.com/v1/rates")
    keep_picture(visitor.page, "try-out-elsewhere")
    assert [url for url in asked if "elsewhere" in url] == []
    assert visitor.complaints == []


def test_page_says_beforehand_that_it_calls_no_other_server(visitor: Visitor) -> None:
    visitor.go(f"{_PLACE}/api/1.1.0/try")
    expect(visitor.page.get_by_text("This page can call only the portal.")).to_be_visible()
