"""Errors as browsers and as programs get them; what a page may not be kept by."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.exceptions import ForbiddenError, InvalidRequestError, UnavailableError

_BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def _fail_with(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.fixture
def visitor(application: FastAPI) -> Iterator[TestClient]:
    """A browser that follows no redirect, at a portal with a route for each error."""
    for path, error in (
        ("/forbidden", ForbiddenError("only members may <do> this")),
        ("/invalid", InvalidRequestError("that is wrong")),
        ("/away", UnavailableError("the database does not answer")),
        ("/bug", RuntimeError("secret")),
    ):
        application.add_api_route(path, _fail_with(error))
    options: dict[str, Any] = {
        "raise_server_exceptions": False,
        "follow_redirects": False,
        "headers": _BROWSER,
    }
    with TestClient(application, "http://localhost", **options) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "status", "heading"),
    [
        ("/forbidden", 403, "Forbidden"),
        ("/nothing", 404, "Not Found"),
        ("/invalid", 422, "Invalid request"),
        ("/bug", 500, "Internal error"),
        ("/away", 503, "Temporarily unavailable"),
    ],
)
def test_a_browser_gets_a_page(visitor: TestClient, path: str, status: int, heading: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert f"<h1>{heading}</h1>" in answer.text
    assert "secret" not in answer.text


def test_what_an_error_says_is_text_and_no_markup(visitor: TestClient) -> None:
    assert "Only members may &lt;do&gt; this." in visitor.get("/forbidden").text


def test_a_page_says_when_to_come_back(visitor: TestClient) -> None:
    assert visitor.get("/away").headers["retry-after"] == "2"


def test_the_api_answers_with_problems_whoever_asks(visitor: TestClient) -> None:
    answer = visitor.get("/api/v1/nothing")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_a_stranger_is_led_to_sign_in_and_then_to_where_one_was_going(visitor: TestClient) -> None:
    answer = visitor.get("/account/keys?a=b")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Faccount%2Fkeys%3Fa%3Db"
    assert answer.headers["cache-control"] == "no-store"


def test_the_form_keeps_no_address_of_elsewhere(visitor: TestClient) -> None:
    assert 'name="next" value=""' in visitor.get("/sign-in?next=//evil.example").text
    assert 'name="next" value="/teams"' in visitor.get("/sign-in?next=/teams").text


def test_a_form_of_another_site_signs_nobody_in(visitor: TestClient) -> None:
    form = {"email": "ada@example.com", "password": "orbit-lantern-mosaic"}
    answer = visitor.post("/sign-in", data=form, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403


def test_pages_are_kept_nowhere_and_carry_the_policy(visitor: TestClient) -> None:
    answer = visitor.get("/sign-in")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src")
