"""What the forms of accounts, teams and webhooks change and refuse: the portal on real stores."""

import re

import pytest
from fastapi.testclient import TestClient

from tests.support.page_forms import Browser, sign_in
from tests.support.portal_client import alert, log_in, run_replica
from tests.support.portal_process import Environment, ask


@pytest.fixture
def paula(replica: TestClient) -> Browser:
    """An owner of the team payments."""
    return sign_in(replica, "paula@example.com")


def test_signing_in_leads_to_where_one_was_going_and_nowhere_else(replica: TestClient) -> None:
    browser = Browser(replica)
    assert browser.sign_in("paula@example.com", "/teams").headers["location"] == "/teams"
    browser = Browser(replica)
    assert browser.sign_in("paula@example.com", "//evil.example").headers["location"] == "/"


def test_wrong_password_is_refused_on_the_form_and_not_repeated(replica: TestClient) -> None:
    answer = Browser(replica).post("/sign-in", email="paula@example.com", password="not-hers-123")
    assert alert(answer) == (401, "The e-mail address or the password is wrong.")
    assert 'value="paula@example.com"' in answer.text
    assert "not-hers-123" not in answer.text


def test_a_form_without_the_token_changes_nothing(paula: Browser) -> None:
    answer = paula.post("/entities/component/default/checkout-service/delete", etag="*")
    assert answer.status_code == 403
    assert paula.get("/entities/component/default/checkout-service").status_code == 200


def test_unknown_address_is_refused_on_the_form_of_a_team(paula: Browser) -> None:
    fields = {"email": "nobody@example.com", "role": "owner"}
    answer = paula.send("/teams/payments", "/teams/payments/members", **fields)
    assert alert(answer) == (404, "There is no account of this address.")
    assert 'value="nobody@example.com"' in answer.text
    assert '<option value="owner" selected>' in answer.text


def test_viewer_who_owns_a_team_is_shown_no_form_of_it(replica: TestClient) -> None:
    made = log_in(replica, "admin@example.com").ask(
        "PUT", "/teams/search/members/vera@example.com", json={"role": "owner"}
    )
    assert made.status_code == 204
    browser = sign_in(replica, "vera@example.com")
    page = browser.get("/teams/search").text
    assert "vera@example.com" in page
    assert "Add a member" not in page
    sent = browser.send("/account/keys", "/teams/search/members", email="a@b.c", role="member")
    assert sent.status_code == 403


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


def test_an_account_is_made_by_its_form_and_its_owner_chooses_a_password(
    replica: TestClient,
) -> None:
    browser = sign_in(replica, "admin@example.com")
    fields = {"email": "form@example.com", "role": "viewer", "team": "search", "team_role": "owner"}
    assert alert(browser.send("/admin/users/new", **{**fields, "email": "form"}))[0] == 422
    made = browser.send("/admin/users/new", **fields)
    assert made.headers["cache-control"] == "no-store"
    link = re.findall(r'id="new-link">http://portal.localhost([^<]+)<', made.text)[0]
    assert link not in browser.get("/admin/users").text
    stranger = Browser(replica)
    assert "form@example.com" in stranger.get(link).text
    token = link.partition("=")[2]
    weak = stranger.post("/password-link", token=token, new_password="short")
    assert alert(weak) == (422, "Password: should be 12 to 128 characters (got 5).")
    chosen = stranger.post("/password-link", token=token, new_password="velvet-harbour-thimble")
    assert chosen.headers["location"] == "/sign-in"
    assert stranger.get(link).status_code == 410


def test_a_webhook_is_made_by_its_form_hastened_and_deleted(environment: Environment) -> None:
    home = "/admin/webhooks"
    with run_replica(environment, WEBHOOKS_ENABLED="true") as replica:
        browser = sign_in(replica, "admin@example.com")
        wrong = browser.send(home, url="ci.example.com")
        assert alert(wrong) == (422, "Please correct the marked fields.")
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
    browser = sign_in(replica, "admin@example.com")
    page = browser.get("/admin/webhooks").text
    assert "Set <code>app.webhooks_enabled</code> in the stack's settings" in page
    assert 'name="url"' not in page
    refused = browser.send("/admin/webhooks", url="https://ci.example.com/hook")
    assert alert(refused) == (409, "Webhooks are switched off. Set app.webhooks_enabled.")
