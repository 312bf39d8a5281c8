"""API documents tried out in a browser: the portal's own for real, uploaded ones as a command."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.support.browser import keep_picture
from tests.support.portal_client import PASSWORD
from tests.support.portal_process import Environment, serve
from tests.support.portal_site import Site, Visitor, visit

_PLACE = "/entities/api/default/ledger-api"
_ANSWERS = {"200": {"description": "ok"}}
_OUTSIDE = {"$ref": "/api/v1/me/api-keys#/items"}
_BODY = {
    "application/json": {
        "schema": {"type": "object", "default": _OUTSIDE},
        "example": {"name": "", "scopes": [], "more": _OUTSIDE},
    }
}
# Where an uploaded document may want its requests to go.
_SERVERS: Mapping[str, Mapping[str, Any]] = {
    "root": {"url": "/"},
    "variable": {"url": "/{way}/v1", "variables": {"way": {"default": "api"}}},
    "elsewhere": {"url": "https://elsewhere.example.com/v1"},
    # A page of the portal that leads on to another.
    "redirect": {"url": "/entities/api/default/ledger-api/api?version=root#"},
}
# What a text may try, and a reference that is part of an example.
_TEXT = """[Go](/account/keys) [run](javascript:alert(1)) ![look](/api/v1/me?by=markdown)

<form action="/sign-out" method="post"><button>Press</button></form>

<img src="/api/v1/me?by=html" onerror="alert(1)"><script>alert(1)</script>

<iframe src="/account/keys"></iframe>"""


def document(server: Mapping[str, Any], site: str) -> dict[str, Any]:
    flow = {"tokenUrl": f"{site}/api/v1/auth/logout", "scopes": {}}
    scheme = {"type": "oauth2", "flows": {"clientCredentials": flow}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Ledger", "version": "1", "description": _TEXT},
        "servers": [server],
        "security": [{"ours": []}],
        "components": {"securitySchemes": {"ours": scheme}},
        "paths": {
            "/me": {"get": {"responses": _ANSWERS}},
            "/api/v1/me/api-keys": {
                "post": {"requestBody": {"content": _BODY}, "responses": _ANSWERS}
            },
        },
    }


@pytest.fixture(scope="module")
def site(environment: Environment) -> Iterator[Site]:
    with serve(environment) as (_, url):
        found = Site(url, PASSWORD)
        with found.log_in() as client:
            for version, server in _SERVERS.items():
                path = f"/api/v1{_PLACE}/versions/{version}"
                client.put(path, json=document(server, url)).raise_for_status()
        yield found


@pytest.fixture
def visitor(browser: Browser, site: Site, signed_in: Any) -> Iterator[Visitor]:
    with visit(browser, site, storage_state=signed_in) as found:
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


def test_operation_of_the_portals_own_document_is_answered(visitor: Visitor) -> None:
    visitor.go("/docs")
    answer = execute(visitor, "get", "/api/v1/me")
    expect(answer).to_contain_text('"email": "admin@example.com"')
    keep_picture(visitor.page, "try-out-own")
    # Without the page's token it would be 403.
    expect(execute(visitor, "post", "/api/v1/me/api-keys")).to_contain_text('"key": "dpk_')
    assert visitor.complaints == []


@pytest.mark.parametrize("version", _SERVERS)
def test_uploaded_document_sends_nothing_wherever_it_points(visitor: Visitor, version: str) -> None:
    page = visitor.page
    visitor.go("/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    visitor.go(f"{_PLACE}/api/{version}/try")
    expect(page.get_by_text("This page sends nothing: Execute shows")).to_be_visible()
    expect(page.locator(".opblock")).to_have_count(2)
    for method, path in (("get", "/me"), ("post", "/api/v1/me/api-keys")):
        answer = execute(visitor, method, path)
        expect(answer).to_contain_text("Not sent: copy the command above into a terminal.")
    keep_picture(page, f"try-out-{version}")
    page.get_by_role("button", name="Authorize").first.click()
    page.locator(".auth-container input").nth(0).fill("id")
    page.locator(".auth-container .authorize").click()
    expect(page.locator(".auth-container .errors").first).to_be_visible()
    own = (f"/api/{version}/try", f"/versions/{version}", "?by=markdown", "?by=html")
    assert [url for url in asked if "/assets/" not in url and not url.endswith(own)] == []


def test_text_of_an_uploaded_document_does_nothing_with_a_session(visitor: Visitor) -> None:
    page = visitor.page
    answered: dict[str, int] = {}
    page.on("response", lambda response: answered.update({response.url: response.status}))
    visitor.go(f"{_PLACE}/api/root/try")
    text = page.locator(".info .description")
    expect(text.locator("img")).to_have_count(2)
    while sum("?by=" in url for url in answered) < 2:
        page.wait_for_timeout(50)
    expect(text.locator("form, script, iframe, [onerror], a[href^=javascript]")).to_have_count(0)
    images = {url: status for url, status in answered.items() if "?by=" in url}
    assert sorted(images.values()) == [401, 401]
    # A page that a reader chooses to open, which knows nothing of the one with the link.
    link = text.locator("a", has_text="Go")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    keep_picture(page, "try-out-text")
