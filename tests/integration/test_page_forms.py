"""What the pages' forms change, for whom, and what they refuse: the portal on real stores."""

import json
import re
from unittest.mock import AsyncMock

import httpx
import pytest
from fastapi.testclient import TestClient

from app.exceptions import BusyError
from app.services.document_work import DocumentWork
from app.web.wording import KIND_PLURALS
from tests.support.api_documents import answering
from tests.support.portal_client import PASSWORD, log_in, run_replica
from tests.support.portal_process import Environment, ask

_ENTRY = {
    "kind": "component",
    "namespace": "default",
    "title": "Form made",
    "description": "By a form.\r\nTwo lines.",
    "owner": "payments",
    "lifecycle": "experimental",
    "tags": "go, forms",
    "links": "https://example.com/a The place",
    "spec": "type: service\nslo: {latency_ms: 250}",
}


class Browser:
    """Holds cookies, follows no redirect, asks for pages and sends their forms."""

    def __init__(self, client: TestClient) -> None:
        client.cookies.clear()
        client.follow_redirects = False
        client.headers["Accept"] = "text/html"
        self._client = client

    def get(self, path: str) -> httpx.Response:
        return self._client.get(path)

    def sign_in(self, email: str, target: str = "") -> httpx.Response:
        return self.post("/sign-in", email=email, password=PASSWORD, next=target)

    def post(self, path: str, *, file: str = "", **fields: str) -> httpx.Response:
        files = {"file": ("document.json", file)} if file else None
        return self._client.post(path, data=fields, files=files)

    def send(self, path: str, action: str = "", **fields: str) -> httpx.Response:
        """Open a page and send its form to `action`, with the token and the version it holds."""
        page = self.get(path).text
        hidden = re.findall(r'name="(csrf_token|etag)" value="([^"]*)"', page)
        kept = {name: value.replace("&#34;", '"') for name, value in hidden}
        return self.post(action or path, **kept, **fields)


@pytest.fixture
def paula(replica: TestClient) -> Browser:
    """An owner of the team payments."""
    browser = Browser(replica)
    assert browser.sign_in("paula@example.com").status_code == 303
    return browser


def _alert(answer: httpx.Response) -> tuple[int, str]:
    """Status and the text of the page's alert."""
    found = re.search(r'role="alert">.*?<div>(.*?)</div>', answer.text, re.DOTALL)
    return answer.status_code, found.group(1) if found else ""


def _create(browser: Browser, name: str, **changes: str) -> httpx.Response:
    return browser.send("/entities/new", **{**_ENTRY, "name": name, **changes})


def test_signing_in_leads_to_where_one_was_going_and_nowhere_else(replica: TestClient) -> None:
    browser = Browser(replica)
    assert browser.sign_in("paula@example.com", "/teams").headers["location"] == "/teams"
    browser = Browser(replica)
    assert browser.sign_in("paula@example.com", "//evil.example").headers["location"] == "/"


def test_wrong_password_is_refused_on_the_form_and_not_repeated(replica: TestClient) -> None:
    answer = Browser(replica).post("/sign-in", email="paula@example.com", password="not-hers-123")
    assert _alert(answer) == (401, "The e-mail address or the password is wrong.")
    assert 'value="paula@example.com"' in answer.text
    assert "not-hers-123" not in answer.text


def test_an_entry_is_made_changed_and_deleted(paula: Browser) -> None:
    path = "/entities/component/default/form-made"
    assert _create(paula, "form-made").headers["location"] == path
    page = paula.get(path).text
    assert "The entry is in the catalogue." in page
    assert '<a href="https://example.com/a" rel="noopener noreferrer nofollow">The place' in page
    assert "The entry is in the catalogue." not in paula.get(path).text
    changed = {**_ENTRY, "title": "Form changed", "tags": ""}
    assert paula.send(f"{path}/edit", **changed).headers["location"] == path
    assert "<h1>Form changed</h1>" in paula.get(path).text
    assert paula.send(f"{path}/delete").headers["location"] == "/"
    assert paula.get(path).status_code == 404


def test_mistake_in_a_field_is_shown_at_the_field(paula: Browser) -> None:
    answer = _create(paula, "bad name", tags="go, Upper", links="javascript:alert(1)")
    assert _alert(answer) == (422, "Please correct the marked fields.")
    assert (
        re.findall(r'class="error">(.*?)</p>', answer.text)
        == ["Contains characters that are not allowed."] * 3
    )
    assert 'value="bad name"' in answer.text


def test_a_specification_that_is_no_mapping_is_refused(paula: Browser) -> None:
    told = _alert(_create(paula, "form-spec", spec="- a\n- b"))
    assert told == (422, "Specification: should be one YAML mapping of names to values.")


def test_a_change_of_what_was_changed_meanwhile_is_refused(paula: Browser) -> None:
    _create(paula, "form-stale")
    path = "/entities/component/default/form-stale"
    stale = {**_ENTRY, "etag": '"000000000000-1"'}
    token = re.findall(r'name="csrf_token" value="([^"]*)"', paula.get(path).text)[0]
    answer = paula.post(f"{path}/edit", csrf_token=token, **stale)
    assert answer.status_code == 412
    assert "If-Match: should be the current" in answer.text


def test_a_form_without_the_token_changes_nothing(paula: Browser) -> None:
    answer = paula.post("/entities/component/default/checkout-service/delete", etag="*")
    assert answer.status_code == 403
    assert paula.get("/entities/component/default/checkout-service").status_code == 200


def test_a_stranger_to_the_team_neither_sees_nor_sends_its_forms(replica: TestClient) -> None:
    browser = Browser(replica)
    browser.sign_in("sami@example.com")
    path = "/entities/component/default/checkout-service"
    assert f"{path}/edit" not in browser.get(path).text
    assert browser.get(f"{path}/edit").status_code == 403
    assert browser.send("/account/keys", f"{path}/delete", etag="*").status_code == 403


def test_a_relation_is_added_and_removed(paula: Browser) -> None:
    _create(paula, "form-related")
    path, target = "/entities/component/default/form-related", "api:default/ledger-api"
    fields = {"type": "consumes", "target": target}
    assert paula.send(path, f"{path}/relations", **fields).headers["location"] == path
    assert 'href="/entities/api/default/ledger-api"' in paula.get(path).text
    assert paula.send(path, f"{path}/relations/remove", **fields).headers["location"] == path
    assert 'href="/entities/api/default/ledger-api"' not in paula.get(path).text


def test_the_other_end_of_a_relation_is_found_by_its_words(paula: Browser) -> None:
    _create(paula, "form-searching")
    path = "/entities/component/default/form-searching"

    def add(target: str) -> httpx.Response:
        return paula.send(path, f"{path}/relations", type="consumes", target=target)

    nothing = add("nothing-has-this-word")
    said = "No other entry has these words; try fewer or other ones."
    assert (_alert(nothing), 'value="nothing-has-this-word"' in nothing.text) == ((404, said), True)
    found = add("ledger")
    assert _alert(found) == (422, "More than one entry has these words; choose which you mean.")
    offered = re.findall(r'type="radio" name="target" value="([^"]*)"', found.text)
    assert {"api:default/ledger-api", "component:default/ledger"} <= {*offered}
    assert add("api:default/ledger-api").headers["location"] == path
    assert 'href="/entities/api/default/ledger-api"' in paula.get(path).text


def test_home_shows_what_ones_teams_own_first(paula: Browser) -> None:
    page = paula.get("/").text
    assert page.index(">Owned by payments</h2>") < page.index('aria-label="Kind"')
    assert "Owned by" not in paula.get("/?kind=api").text


def test_a_page_is_written_and_its_markup_is_harmless(paula: Browser) -> None:
    _create(paula, "form-pages")
    path = "/entities/component/default/form-pages"
    hostile = "# Hello\n\n<script>alert(1)</script> [x](javascript:alert(1))"
    fields = {"slug": "notes", "title": "Notes", "markdown": hostile}
    assert paula.send(f"{path}/new-page", **fields).headers["location"] == f"{path}/pages/notes"
    page = paula.get(f"{path}/pages/notes").text
    assert "<h1>Hello</h1>" in page
    assert "<script>alert" not in page
    assert 'href="javascript:' not in page


def test_text_of_a_page_stays_on_its_form_while_the_portal_is_busy(
    paula: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    _create(paula, "form-busy")
    busy = AsyncMock(side_effect=BusyError("the portal is busy: try again in a moment"))
    monkeypatch.setattr(DocumentWork, "run", busy)
    fields = {"slug": "notes", "title": "Notes", "markdown": "An hour's work"}
    answer = paula.send("/entities/component/default/form-busy/new-page", **fields)
    assert _alert(answer) == (503, "The portal is busy: try again in a moment.")
    assert "An hour&#39;s work" in answer.text


def test_another_document_of_a_version_is_refused_on_the_form(paula: Browser) -> None:
    _create(paula, "form-versions", kind="api")
    path = "/entities/api/default/form-versions"

    def upload(title: str) -> httpx.Response:
        document = answering({}, info={"title": title, "version": "1"})
        return paula.send(f"{path}/upload", version="2.1", file=json.dumps(document))

    assert upload("One").headers["location"] == f"{path}/api/2.1"
    refused = upload("Two")
    said = "The version has another document: choose another version."
    assert (_alert(refused), 'value="2.1"' in refused.text) == ((409, said), True)


def test_unknown_address_is_refused_on_the_form_of_a_team(paula: Browser) -> None:
    fields = {"email": "nobody@example.com", "role": "owner"}
    answer = paula.send("/teams/payments", "/teams/payments/members", **fields)
    assert _alert(answer) == (404, "There is no account of this address.")
    assert 'value="nobody@example.com"' in answer.text
    assert '<option value="owner" selected>' in answer.text


def test_viewer_who_owns_a_team_is_shown_no_form_of_it(replica: TestClient) -> None:
    made = log_in(replica, "admin@example.com").ask(
        "PUT", "/teams/search/members/vera@example.com", json={"role": "owner"}
    )
    assert made.status_code == 204
    browser = Browser(replica)
    browser.sign_in("vera@example.com")
    page = browser.get("/teams/search").text
    assert "vera@example.com" in page
    assert "Add a member" not in page
    sent = browser.send("/account/keys", "/teams/search/members", email="a@b.c", role="member")
    assert sent.status_code == 403


_API = "/entities/api/default/ledger-api"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/teams/%00", 404),
        ("/teams/%00/delete", 404),
        ("/teams/Payments", 404),
        (f"{_API}/api/%00", 404),
        (f"{_API}/api/%00/try", 404),
        (f"{_API}/api/1/operations/%00", 404),
        (f"{_API}/pages/%00", 404),
        (f"{_API}/pages/%00/edit", 404),
        (f"{_API}/compare?from=%00&to=2", 422),
        ("/admin/users?cursor=%00", 422),
        ("/admin/audit?actor=%00", 422),
        (f"/admin/audit?cursor={'9' * 5000}", 404),
    ],
    ids=range(12),
)
def test_page_of_what_cannot_be_is_not_found_or_refused(
    replica: TestClient, path: str, status: int
) -> None:
    browser = Browser(replica)
    browser.sign_in("admin@example.com")
    assert browser.get(path).status_code == status


def test_broken_import_is_refused_on_the_form(paula: Browser) -> None:
    status, said = _alert(paula.send("/entities/import", yaml="kind: [unclosed"))
    assert status == 422
    assert said


def test_an_import_is_tried_before_it_is_done(paula: Browser) -> None:
    spec = "{owner: payments, dependsOn: ['resource:later']}"
    text = (
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: tried}\nspec: " + spec
    )
    path = "/entities/component/default/tried"
    tried = paula.send("/entities/import", yaml=text, dry_run="yes").text
    assert "Nothing was changed." in tried
    assert path not in tried
    assert paula.get(path).status_code == 404
    assert f'href="{path}"' in paula.send("/entities/import", yaml=text).text
    page = paula.get(path).text
    assert "Not in the catalogue" in page
    assert "Resource, missing" in page


def test_a_key_is_shown_in_the_answer_alone(paula: Browser) -> None:
    answer = paula.send("/account/keys", name="forms", scopes="catalogue:read", days="7")
    key = re.findall(r'id="new-key">(dpk_[^<]+)<', answer.text)[0]
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    assert key not in paula.get("/account/keys").text


def test_an_account_is_made_where_registration_is_open_and_only_there(
    environment: Environment, replica: TestClient
) -> None:
    fields = {"email": "new@example.com", "name": "New", "password": "velvet-harbour-thimble"}
    assert Browser(replica).post("/register", **fields).status_code == 403
    with run_replica(environment, REGISTRATION_OPEN="true") as open_replica:
        browser = Browser(open_replica)
        assert browser.post("/register", **fields).headers["location"] == "/sign-in"
        answer = browser.post("/sign-in", email=fields["email"], password=fields["password"])
        assert answer.headers["location"] == "/"
        assert browser.get("/entities/new").status_code == 403


def test_a_first_password_has_to_be_changed_before_anything_else(
    environment: Environment, replica: TestClient
) -> None:
    mark = "update user_account set must_change_password = true where email = 'nadia@example.com'"
    ask(environment, mark)
    browser = Browser(replica)
    browser.sign_in("nadia@example.com")
    assert browser.get("/").headers["location"] == "/account/password"
    new = {"current_password": PASSWORD, "new_password": "velvet-harbour-thimble"}
    assert browser.send("/account/password", **new).headers["location"] == "/"
    assert browser.get("/account/keys").status_code == 200


def test_an_account_is_made_by_its_form_and_its_owner_chooses_a_password(
    replica: TestClient,
) -> None:
    browser = Browser(replica)
    browser.sign_in("admin@example.com")
    fields = {"email": "form@example.com", "role": "viewer", "team": "search", "team_role": "owner"}
    assert _alert(browser.send("/admin/users/new", **{**fields, "email": "form"}))[0] == 422
    made = browser.send("/admin/users/new", **fields)
    assert made.headers["cache-control"] == "no-store"
    link = re.findall(r'id="new-link">http://portal.localhost([^<]+)<', made.text)[0]
    assert link not in browser.get("/admin/users").text
    stranger = Browser(replica)
    assert "form@example.com" in stranger.get(link).text
    token = link.partition("=")[2]
    weak = stranger.post("/password-link", token=token, new_password="short")
    assert _alert(weak) == (422, "Password: should be 12 to 128 characters (got 5).")
    chosen = stranger.post("/password-link", token=token, new_password="velvet-harbour-thimble")
    assert chosen.headers["location"] == "/sign-in"
    assert stranger.get(link).status_code == 410


def test_a_webhook_is_made_by_its_form_hastened_and_deleted(environment: Environment) -> None:
    home = "/admin/webhooks"
    with run_replica(environment, WEBHOOKS_ENABLED="true") as replica:
        browser = Browser(replica)
        browser.sign_in("admin@example.com")
        wrong = browser.send(home, url="ci.example.com")
        assert _alert(wrong) == (422, "Please correct the marked fields.")
        said = "Should be an address such as https://ci.example.com/hook."
        assert re.findall(r'class="error">(.*?)</p>', wrong.text) == [said]
        made = browser.send(home, url="https://ci.example.com/hook")
        secret = re.findall(r'id="new-secret">(whsec_[^<]+)<', made.text)[0]
        assert made.headers["cache-control"] == "no-store"
        page = browser.get(home).text
        assert "Nothing sent yet" in page
        assert secret not in page
        own = re.findall(r'action="(/admin/webhooks/[^"]+)/delete"', page)[0]
        _note_upload(environment)
        assert f'action="{own}/retry"' in browser.get(home).text
        assert browser.send(home, f"{own}/retry").headers["location"] == home
        assert browser.send(home, f"{own}/delete").headers["location"] == home
        assert "No webhooks" in browser.get(home).text


def _note_upload(environment: Environment) -> None:
    """One that failed once and is sent again tomorrow."""
    ask(environment, "update webhook set last_error = 'no answer within 10 s'")
    ask(
        environment,
        "insert into webhook_delivery (webhook_id, entity_id, older, newer, attempts, next_at)"
        " select webhook.id, entity.id, '1', '2', 1, now() + interval '1 day'"
        " from webhook, entity limit 1",
    )


def test_while_webhooks_are_off_their_page_says_how_to_switch_them_on(replica: TestClient) -> None:
    browser = Browser(replica)
    browser.sign_in("admin@example.com")
    page = browser.get("/admin/webhooks").text
    assert "Set <code>app.webhooks_enabled</code> in the stack's settings" in page
    assert 'name="url"' not in page
    refused = browser.send("/admin/webhooks", url="https://ci.example.com/hook")
    assert _alert(refused) == (409, "Webhooks are switched off. Set app.webhooks_enabled.")


def test_search_counts_its_results_by_kind_and_owner(paula: Browser) -> None:
    def shown(query: str) -> tuple[str, dict[str, str]]:
        page = paula.get(f"/search?{query}").text
        said = re.findall(r'role="status">([^<]*) for', page)
        link = r'<a href="/search[^>]*>([^<]*?)(?: <span[^>]*>([\d,]+)</span>)?</a>'
        return "".join(said), dict(re.findall(link, page))

    total, choices = shown("q=api")
    assert {"All kinds", "Components", "APIs", "All owners"} <= choices.keys()
    assert total == f"{sum(int(choices.get(name, 0)) for name in KIND_PLURALS.values())} results"
    of_apis, same = shown("q=api&kind=api")
    assert of_apis.split()[0] == choices["APIs"]
    assert same["Components"] == choices["Components"]
    # What leaves nothing can be taken back.
    assert shown("q=api&owner=nobody")[1].items() >= {"All owners": "", "nobody": "0"}.items()
