"""Cookies of sessions, and what a change by cookie needs."""

import asyncio
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from app.config import Config
from app.exceptions import ForbiddenError
from app.http.cookies import SessionCookies, check_csrf, check_origin, csrf_token
from app.services.tokens import Tokens

ELSEWHERE = "the request comes from a page of another site"
NO_TOKEN = "a change by cookie needs the session's token as `x-csrf-token` or `csrf_token`"


def request(headers: dict[str, str], *, scheme: str = "https", body: bytes = b"") -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "scheme": scheme, "path": "/", "query_string": b""}
    return Request({**scope, "server": ("portal.test", 443), "headers": raw}, receive)


@pytest.mark.parametrize(
    ("config", "prefix", "binding"),
    [({"APP_ENV": "production"}, "__Host-", "; Secure"), ({}, "devportal-", "")],
    indirect=["config"],
)
def test_cookies_are_bound_to_host_and_tls_but_in_development(
    config: Config, prefix: str, binding: str
) -> None:
    response = Response()
    SessionCookies(config).attach(response, Tokens("s", "A", "R", 1800))
    assert response.headers.getlist("set-cookie") == [
        f"{prefix}access=A; HttpOnly; Max-Age=1800; Path=/; SameSite=lax{binding}",
        f"{prefix}refresh=R; HttpOnly; Max-Age=604800; Path=/; SameSite=lax{binding}",
    ]


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "portal.test", "origin": "https://portal.test"},
        {"host": "portal.test:443", "origin": "https://Portal.test"},
        {"host": "portal.test", "sec-fetch-site": "same-origin"},
        {"host": "portal.test"},
    ],
)
def test_own_pages_and_programs_are_let_through(headers: dict[str, str]) -> None:
    check_origin(request(headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "portal.test", "origin": "https://evil.test"},
        {"host": "portal.test", "origin": "https://portal.test.evil.test"},
        {"host": "portal.test", "origin": "http://portal.test"},
        {"host": "portal.test", "origin": "https://portal.test:8443"},
        {"host": "portal.test", "origin": "null"},
        {"host": "portal.test", "origin": ""},
        {"origin": "https://"},
        {"host": "portal.test", "origin": "https://["},
        {"host": "portal.test", "sec-fetch-site": "cross-site"},
        {"host": "portal.test", "sec-fetch-site": "same-site"},
    ],
)
def test_pages_of_other_sites_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ForbiddenError) as caught:
        check_origin(request(headers))
    assert caught.value.detail == ELSEWHERE


def csrf_refusal(config: Config, headers: dict[str, str], body: bytes = b"") -> str | None:
    sent = request({"host": "portal.test", **headers}, body=body)
    try:
        asyncio.run(check_csrf(sent, config, "my-session"))
    except ForbiddenError as error:
        return error.detail
    return None


def test_change_by_cookie_carries_the_sessions_token(config: Config) -> None:
    mine, anothers = csrf_token(config, "my-session"), csrf_token(config, "another")
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert csrf_refusal(config, {"x-csrf-token": mine}) is None
    assert csrf_refusal(config, form, f"a=b&csrf_token={mine}".encode()) is None
    assert csrf_refusal(config, {}) == NO_TOKEN
    assert csrf_refusal(config, {"x-csrf-token": anothers}) == NO_TOKEN
    assert csrf_refusal(config, {"x-csrf-token": "\u00e9"}) == NO_TOKEN
    assert csrf_refusal(config, form, f"csrf_token={anothers}".encode()) == NO_TOKEN
    assert csrf_refusal(config, {"content-type": "text/plain"}, f"csrf_token={mine}".encode()) == (
        NO_TOKEN
    )


def test_right_token_does_not_excuse_another_origin(config: Config) -> None:
    headers = {"x-csrf-token": csrf_token(config, "my-session"), "origin": "https://evil.test"}
    assert csrf_refusal(config, headers) == ELSEWHERE
