"""What a phone shows at once, and what has to fit its width."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from tests.support.browser import keep_picture
from tests.support.portal_site import Site, Visitor, visit

_PHONE: ViewportSize = {"width": 390, "height": 844}
_CENTRE = f"/entities/component/default/{'centre-'.ljust(63, 'x')}"
# Boxes of texts against the box that holds them, in pixels.
_CLIPPED = """boxes => boxes.flatMap(box => {
    const outer = box.getBoundingClientRect();
    return [...box.children].filter(text => {
        const range = document.createRange();
        range.selectNodeContents(text);
        const inner = range.getBoundingClientRect();
        return inner.left < outer.left || inner.right > outer.right
            || inner.top < outer.top || inner.bottom > outer.bottom
            || inner.right > innerWidth || getComputedStyle(text).overflow !== "visible";
    }).map(text => text.textContent);
})"""


@pytest.fixture(scope="module")
def visitor(browser: Browser, site: Site, signed_in: Any) -> Iterator[Visitor]:
    """An administrator with a phone."""
    with visit(browser, site, storage_state=signed_in, viewport=_PHONE) as opened:
        yield opened


@pytest.fixture(scope="module")
def crowded(site: Site) -> Iterator[None]:
    """An entity of twelve relations either way; all names are as long as names can be."""
    with site.log_in() as client:
        others = [f"r{number}-".ljust(63, "x") for number in range(12)]
        paths = [_CENTRE, *(f"/entities/resource/default/{name}" for name in others)]
        for path in paths:
            _, _, kind, namespace, name = path.split("/")
            new = {"kind": kind, "namespace": namespace, "name": name, "title": name}
            client.post("/api/v1/entities", json={**new, "owner": "payments"}).raise_for_status()
        for path in paths[1:]:
            for start, end in ((_CENTRE, path), (path, _CENTRE)):
                relation = f"/api/v1{start}/relations/depends_on/{end.removeprefix('/entities/')}"
                client.put(relation).raise_for_status()
        yield
        for path in paths:
            client.delete(f"/api/v1{path}", headers={"If-Match": "*"}).raise_for_status()


@pytest.mark.usefixtures("crowded")
@pytest.mark.parametrize("width", [390, 1280])
def test_graph_shows_every_name_whole_and_scrolls_no_way(visitor: Visitor, width: int) -> None:
    page = visitor.page
    visitor.go(_CENTRE)
    page.set_viewport_size({**_PHONE, "width": width})
    graph = page.get_by_role("region", name="Graph of relations")
    expect(graph.locator(".node")).to_have_count(1 + 10 + 10)
    expect(page.get_by_role("link", name="and 4 more")).to_be_visible()
    assert graph.locator(".node").evaluate_all(_CLIPPED) == []
    frame, own = graph.bounding_box(), graph.locator(".self").bounding_box()
    assert frame
    assert own
    assert frame["x"] <= own["x"]
    assert own["x"] + own["width"] <= frame["x"] + frame["width"] <= width
    fits = "e => e.scrollWidth <= e.clientWidth && e.scrollHeight <= e.clientHeight"
    assert graph.evaluate(fits)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    keep_picture(page, f"portal-graph-{width}")
    page.set_viewport_size(_PHONE)


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("/", ".tile"),
        ("/search?q=tour", ".tile"),
        ("/admin/users", "tbody tr"),
        ("/admin/audit", "tbody tr"),
    ],
)
def test_first_result_is_on_the_first_screen(visitor: Visitor, path: str, result: str) -> None:
    visitor.go(path)
    box = visitor.page.locator(f"main {result}").first.bounding_box()
    assert box
    assert box["y"] < _PHONE["height"]


def test_menu_leads_an_administrator_everywhere(visitor: Visitor) -> None:
    page = visitor.page
    visitor.go("/")
    for name in ("Users", "Webhooks", "Audit"):
        page.locator(".menu summary").click()
        keep_picture(page, "portal-phone-menu")
        page.locator(".menu-panel").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
