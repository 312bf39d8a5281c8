"""What the catalogue's forms change, for whom, and what they refuse: the portal on real stores."""

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
from tests.support.page_forms import Browser, sign_in
from tests.support.portal_client import alert

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


@pytest.fixture
def paula(replica: TestClient) -> Browser:
    """An owner of the team payments."""
    return sign_in(replica, "paula@example.com")


def _create(browser: Browser, name: str, **changes: str) -> httpx.Response:
    return browser.send("/entities/new", **{**_ENTRY, "name": name, **changes})


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
    assert alert(answer) == (422, "Please correct the marked fields.")
    assert (
        re.findall(r'class="error">(.*?)</p>', answer.text)
        == ["Contains characters that are not allowed."] * 3
    )
    assert 'value="bad name"' in answer.text


def test_a_specification_that_is_no_mapping_is_refused(paula: Browser) -> None:
    told = alert(_create(paula, "form-spec", spec="- a\n- b"))
    assert told == (422, "Specification: should be one YAML mapping of names to values.")


def test_a_change_of_what_was_changed_meanwhile_is_refused(paula: Browser) -> None:
    _create(paula, "form-stale")
    path = "/entities/component/default/form-stale"
    stale = {**_ENTRY, "etag": '"000000000000-1"'}
    token = re.findall(r'name="csrf_token" value="([^"]*)"', paula.get(path).text)[0]
    answer = paula.post(f"{path}/edit", csrf_token=token, **stale)
    assert answer.status_code == 412
    assert "If-Match: should be the current" in answer.text


def test_a_stranger_to_the_team_neither_sees_nor_sends_its_forms(replica: TestClient) -> None:
    browser = sign_in(replica, "sami@example.com")
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
    assert (alert(nothing), 'value="nothing-has-this-word"' in nothing.text) == ((404, said), True)
    found = add("ledger")
    assert alert(found) == (422, "More than one entry has these words; choose which you mean.")
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
    assert alert(answer) == (503, "The portal is busy: try again in a moment.")
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
    assert (alert(refused), 'value="2.1"' in refused.text) == ((409, said), True)


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
    browser = sign_in(replica, "admin@example.com")
    assert browser.get(path).status_code == status


def test_broken_import_is_refused_on_the_form(paula: Browser) -> None:
    status, said = alert(paula.send("/entities/import", yaml="kind: [unclosed"))
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
