"""A browser that signs in at a provider, and what came of it."""

import re

import httpx
from fastapi.testclient import TestClient

from tests.support.portal_process import Environment, ask
from tests.support.sign_in_provider import SignInProvider

NOT_GOOD = "The sign-in provider's answer is not good for this sign-in: try again."
NOT_BEGUN = "This sign-in was not begun in this browser, is over or took too long: try again."
ROLES = '{"admins": "admin", "staff": "member"}'


def as_browser(client: TestClient) -> TestClient:
    client.follow_redirects = False
    client.headers["Accept"] = "text/html"
    return client


def begin(portal: TestClient, target: str = "") -> str:
    """Follow the link of the page to sign in; where it leads."""
    answer = portal.get("/sign-in/provider", params={"next": target})
    assert answer.status_code == 303, alert(answer)
    return answer.headers["location"]


def sign_in(
    portal: TestClient, provider: SignInProvider, subject: str, target: str = ""
) -> httpx.Response:
    return portal.get(provider.approve(begin(portal, target), subject))


def alert(answer: httpx.Response) -> tuple[int, str]:
    found = re.search(r'role="alert">.*?<div>(.*?)</div>', answer.text, re.DOTALL)
    return answer.status_code, found.group(1).replace("&#39;", "'") if found else ""


def me(portal: TestClient) -> dict[str, object]:
    found = portal.get("/api/v1/me", headers={"Accept": "application/json"}).json()
    return {name: found.get(name) for name in ("email", "role", "teams")}


def events_of(environment: Environment, target: str) -> list[tuple[object, ...]]:
    found = "select action, detail->>'by', detail->>'reason' from audit_event"
    return ask(environment, f"{found} where target = '{target}' order by id")
