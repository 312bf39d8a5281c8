"""Pages for those who see little, use no mouse, have a phone, or run no scripts."""

from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.support.browser import keep_picture
from tests.support.portal_site import SAMPLE, SAMPLES, Site, Visitor, visit

_PHONE: ViewportSize = {"width": 390, "height": 844}
_DESK: ViewportSize = {"width": 1440, "height": 900}
# A phone's colours are those of the desk.
_LOOKS: tuple[tuple[ViewportSize, Literal["light", "dark"]], ...] = (
    (_DESK, "light"),
    (_DESK, "dark"),
    (_PHONE, "light"),
)
_FOR_STRANGERS = ("/sign-in", "/sign-in?next=/teams", "/", "/docs", "/password-link?token=wrong")
_FOR_ADMINISTRATORS = (
    "/",
    "/?kind=api&lifecycle=production",
    "/?tag=nothing",
    "/search",
    "/search?q=tour",
    "/search?q=nothing",
    SAMPLE,
    f"{SAMPLE}/api",
    f"{SAMPLE}/api/1.0.0",
    f"{SAMPLE}/api/1.0.0?q=visits&tag=visits",
    f"{SAMPLE}/api/1.0.0/operations/get-visits",
    f"{SAMPLE}/api/1.0.0/schemas/Visit",
    f"{SAMPLE}/api/1.0.0/try",
    *(f"{place}/api/1.0.0" for place in SAMPLES.values()),
    f"{SAMPLES['asyncapi']}/api/1.0.0/operations/receive-onmeasured",
    f"{SAMPLES['graphql']}/api/1.0.0/schemas/Order",
    f"{SAMPLES['grpc']}/api/1.0.0/operations/orders-watch",
    f"{SAMPLE}/compare?from=1.0.0&to=2.0.0",
    f"{SAMPLE}/upload",
    f"{SAMPLE}/pages/runbook",
    f"{SAMPLE}/pages/runbook/edit",
    f"{SAMPLE}/new-page",
    f"{SAMPLE}/edit",
    f"{SAMPLE}/delete",
    "/entities/new",
    "/entities/import",
    "/teams",
    "/teams/payments",
    "/account/keys",
    "/account/sessions",
    "/account/password",
    "/admin/users",
    "/admin/users/new",
    "/admin/webhooks",
    "/admin/audit",
    "/docs",
    "/entities/api/default/nothing",
)
# Swagger UI's own markup is not ours to change; the same document is read without it.
_JUDGE = "rules => axe.run({exclude: [['#swagger-ui']]}, {resultTypes: ['violations'], ...rules})"
# In the dark nothing but the colours is another.
_RULES: dict[str, dict[str, Any]] = {"light": {}, "dark": {"runOnly": ["color-contrast"]}}


def test_no_page_breaks_a_rule_of_accessibility_or_scrolls_sideways(
    browser: Browser, site: Site, signed_in: Any
) -> None:
    found: list[str] = []
    for state, paths in ((None, _FOR_STRANGERS), (signed_in, _FOR_ADMINISTRATORS)):
        with visit(browser, site, storage_state=state) as visitor:
            for path in paths:
                visitor.go(path)
                found += [f"{path} {mistake}" for mistake in _mistakes(visitor.page)]
    with visit(browser, site, storage_state=signed_in) as visitor:
        found += _mistakes_of_a_link(visitor)
    assert found == []


def _mistakes_of_a_link(visitor: Visitor) -> list[str]:
    """Of the page that shows a link to choose a password, and of the link's own."""
    page = visitor.page
    visitor.go("/admin/users")
    page.get_by_role("button", name="Reset the password of vera@example.com").click()
    expect(page.get_by_role("heading", name="A new link for vera@example.com")).to_be_visible()
    found = _mistakes(page)
    keep_picture(page, "portal-password-link")
    page.goto(page.locator("#new-link").inner_text())
    expect(page.get_by_role("heading", name="Choose a password")).to_be_visible()
    return [*found, *_mistakes(page)]


def test_the_judge_finds_what_is_wrong(browser: Browser, site: Site) -> None:
    with visit(browser, site) as visitor:
        visitor.go("/sign-in")
        visitor.page.evaluate("document.querySelector('label[for=email]').remove()")
        found = {mistake.split(": ")[1] for mistake in _mistakes(visitor.page)}
        assert found == {"label"}


def _mistakes(page: Page) -> list[str]:
    """What axe finds in every look, and whether the page is wider than its window."""
    found: list[str] = []
    page.evaluate(AXE_SCRIPT)
    for view, scheme in _LOOKS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(view)
        mistakes = _judge(page, _RULES[scheme])
        found += [f"{scheme} {view['width']}: {mistake}" for mistake in mistakes]
    return found


def _judge(page: Page, rules: dict[str, Any]) -> list[str]:
    violations = page.evaluate(_JUDGE, rules)["violations"]
    found = [f"{rule['id']}: {node['html'][:150]}" for rule in violations for node in rule["nodes"]]
    too_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return [*found, *(["scrolls sideways"] if too_wide else [])]


def test_the_keyboard_alone_finds_and_opens_an_entry(
    browser: Browser, site: Site, signed_in: Any
) -> None:
    with visit(browser, site, storage_state=signed_in) as visitor:
        visitor.go("/teams")
        page = visitor.page
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        _assert_focus_is_seen(page)
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        expect(page.get_by_role("combobox", name="Search")).to_be_focused()
        # At once: after a pause it would look for what there is so far.
        page.keyboard.insert_text("tour api")
        expect(page.get_by_role("option").first).to_be_visible()
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("option", selected=True)).to_have_count(1)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Tour API", level=1)).to_be_visible()
        assert visitor.complaints == []


def test_escape_closes_the_hits_and_the_menu(browser: Browser, site: Site, signed_in: Any) -> None:
    with visit(browser, site, storage_state=signed_in) as visitor:
        visitor.go("/")
        page = visitor.page
        page.get_by_role("combobox", name="Search").press_sequentially("tour")
        expect(page.get_by_role("option").first).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("listbox")).to_be_hidden()
        page.locator(".menu summary").press("Enter")
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
        expect(page.locator(".menu summary")).to_be_focused()


def test_every_stop_of_the_keyboard_is_seen(browser: Browser, site: Site, signed_in: Any) -> None:
    with visit(browser, site, storage_state=signed_in) as visitor:
        visitor.go(SAMPLE)
        stops: set[str] = set()
        while (stop := _next_stop(visitor.page)) not in stops and stop:
            _assert_focus_is_seen(visitor.page)
            stops.add(stop)
        assert len(stops) > 20


def test_pages_are_read_and_forms_work_without_scripts(browser: Browser, site: Site) -> None:
    with visit(browser, site, java_script_enabled=False) as visitor:
        visitor.sign_in()
        page = visitor.page
        page.get_by_label("Search").fill("tour")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Tour API", exact=True).first.click()
        _read_without_scripts(visitor)
        visitor.go("/account/keys")
        page.get_by_label("Purpose").fill("No scripts")
        page.get_by_role("button", name="Create").click()
        expect(page.locator("#new-key")).to_contain_text("dpk_")
        page.get_by_role("button", name="Revoke No scripts").click()
        expect(page.get_by_text("The key is revoked")).to_be_visible()
        _sign_out(visitor)


def _read_without_scripts(visitor: Visitor) -> None:
    page = visitor.page
    expect(page.get_by_role("heading", name="Tour API", level=1)).to_be_visible()
    visitor.go(f"{SAMPLE}/api/2.0.0")
    page.get_by_role("link", name="/visits").click()
    expect(page.get_by_role("heading", name="Responses")).to_be_visible()
    visitor.go(f"{SAMPLE}/pages/runbook")
    expect(page.get_by_role("heading", name="Runbook")).to_be_visible()


def _sign_out(visitor: Visitor) -> None:
    page = visitor.page
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    visitor.go("/account/keys")
    expect(page.get_by_role("heading", name="Sign in", level=1)).to_be_visible()
    assert page.url.endswith("/sign-in?next=%2Faccount%2Fkeys")


def _next_stop(page: Page) -> str:
    page.keyboard.press("Tab")
    return page.evaluate(
        "document.activeElement === document.body ? '' : document.activeElement.outerHTML"
    )


def _assert_focus_is_seen(page: Page) -> None:
    seen = page.evaluate("getComputedStyle(document.activeElement).outlineStyle !== 'none'")
    assert seen, page.evaluate("document.activeElement.outerHTML")
