"""A running portal as its visitors find it, with something in it to look at."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, expect

from benchmarks.harness.portal_stack import PortalStack
from tests.support.api_documents import ASYNCAPI, GRAPHQL, PROTO, document, shape
from tests.support.browser import listen
from tests.support.portal_client import log_in

ADMIN = "admin@example.com"
SAMPLE = "/entities/api/default/tour-api"
SAMPLES = {kind: f"/entities/api/default/tour-{kind}" for kind in ("asyncapi", "graphql", "grpc")}
"""The same of other kinds than OpenAPI."""
_KEY = {"kind": "api", "namespace": "default", "name": "tour-api"}
_CONTENT = {
    "title": "Tour API",
    "description": "Everything a visitor looks at.",
    "owner": "payments",
    "tags": ["tour"],
    "links": [{"url": "https://status.example.com/tour", "title": "Status"}],
    "spec": {"type": "openapi", "slo": {"availability": "99.9%"}},
}
_PAGE = """# Runbook

First look at the **queue**, then at `the log`:

```sh
kubectl scale deployment tour --replicas 6 --namespace a-rather-long-name-of-a-namespace
```

| Alarm | What to do |
|---|---|
| `QueueTooLong` | Add workers |

> Nobody is blamed for a roll back. [More](https://example.com)
"""


@dataclass(frozen=True)
class Site:
    """Where the portal is, and its administrator's password."""

    url: str
    password: str

    @contextmanager
    def log_in(self) -> Iterator[httpx.Client]:
        """A program that acts for the administrator."""
        with httpx.Client(base_url=self.url, timeout=30) as client:
            client.headers.update(log_in(client, ADMIN, self.password).headers)
            yield client


def site_of(stack: PortalStack) -> Site:
    """The portal of a development stack, where nobody has to change the first password."""
    password = stack.run_in("app", "cat", "/run/secrets/admin_password").strip()
    return Site(stack.output("portal_url"), password)


def add_sample(site: Site) -> None:
    """An interface with two versions, a page, relations and a webhook; one that is there stays."""
    with site.log_in() as client:
        made = client.post("/api/v1/entities", json={**_KEY, **_CONTENT})
        if made.status_code == 409:
            return
        made.raise_for_status()
        # It names no host, so that what breaks below is tried and fails.
        hook = {"url": "https://hook.invalid/breaking-changes"}
        client.post("/api/v1/admin/webhooks", json=hook).raise_for_status()
        base = f"/api/v1{SAMPLE}"
        for version in ("1.0.0", "2.0.0"):
            place = f"{base}/versions/{version}"
            client.put(place, json=_document(version)).raise_for_status()
        for kind, text in (("asyncapi", ASYNCAPI), ("graphql", GRAPHQL), ("grpc", PROTO)):
            other = {**_KEY, "name": f"tour-{kind}", "title": f"Tour {kind}", "owner": "payments"}
            client.post("/api/v1/entities", json=other).raise_for_status()
            place = f"/api/v1/entities/api/default/tour-{kind}/versions/1.0.0"
            client.put(place, content=text.encode()).raise_for_status()
        page = {"title": "Runbook", "markdown": _PAGE}
        client.put(f"{base}/pages/runbook", json=page).raise_for_status()
        relation = "part_of/system/default/checkout"
        client.put(f"{base}/relations/{relation}").raise_for_status()
        provider = "/api/v1/entities/component/default/checkout-service"
        relation = f"provides/{SAMPLE.removeprefix('/entities/')}"
        client.put(f"{provider}/relations/{relation}").raise_for_status()


def _document(version: str) -> dict[str, Any]:
    """Version 2 lacks an operation of version 1: clients of that one break."""
    answers = {"200": {"description": "A visit", "content": {"application/json": {"schema": _REF}}}}
    paths = {"/visits": {"get": {"tags": ["visits"], "summary": "All", "responses": answers}}}
    if version == "1.0.0":
        gone = {"tags": ["visits"], "summary": "End", "responses": {"204": {"description": "Done"}}}
        paths["/visits"]["delete"] = gone
    return document(
        paths,
        schemas={"Visit": shape(id={"type": "string", "description": "Its id."})},
        info={"title": "Tour API", "version": version, "description": "Visits."},
        servers=[{"url": "https://tour.example.com"}],
    )


_REF = {"$ref": "#/components/schemas/Visit"}


class Visitor:
    """A browser window; what its pages complain of is kept."""

    def __init__(self, page: Page, site: Site) -> None:
        self.page = page
        self.site = site
        self.complaints = listen(page)

    def go(self, path: str) -> None:
        """Open a page of the portal."""
        self.page.goto(f"{self.site.url}{path}")

    def sign_in(self) -> None:
        """Sign in as the administrator, on the page for it."""
        self.go("/sign-in")
        self.page.get_by_label("E-mail address").fill(ADMIN)
        self.page.get_by_label("Password").fill(self.site.password)
        self.page.get_by_role("main").get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name="Catalogue", level=1)).to_be_visible()


@contextmanager
def visit(browser: Browser, site: Site, **options: Any) -> Iterator[Visitor]:
    """A window with cookies of its own; `options` are the browser context's."""
    settings = {"viewport": {"width": 1280, "height": 900}, "locale": "en-US", **options}
    context = browser.new_context(**settings)
    try:
        yield Visitor(context.new_page(), site)
    finally:
        context.close()
