"""The portal in this process, people who use it, and what they send to its catalogue."""

import html
import itertools
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
from fastapi.testclient import TestClient

from app.config import load_config
from app.main import create_app
from tests.support.portal_process import Environment, ask
from tests.support.waiting import wait_until_ok

Json = dict[str, Any]

PASSWORD = "a" * 12
"""Everybody's, in the example data of tests."""

_ADDRESSES = (
    f"127.{os.getpid() % 250 + 1}.{number // 250}.{number % 250}" for number in itertools.count()
)


@contextmanager
def run_replica(environment: Mapping[str, str], **more: str) -> Iterator[TestClient]:
    """A portal whose client has an address of its own, so that limits of others do not count."""
    # Lines of requests are written after the answer, past the capture of pytest.
    app = create_app(load_config({**environment, "LOG_LEVEL": "warning", **more}))
    base_url = (
        "https://portal.test"
        if app.state.services.config.is_production
        else "http://portal.localhost"
    )
    client = TestClient(
        app, base_url, raise_server_exceptions=False, client=(next(_ADDRESSES), 50000)
    )
    with client:
        wait_until_ok(partial(client.get, "/health"))
        yield client


@dataclass
class Person:
    """Someone who is signed in, or a program with a key, at one replica."""

    client: httpx.Client
    headers: Mapping[str, str] = field(default_factory=dict)
    refresh_token: str = ""

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.client.request(method, f"/api/v1{path}", headers=self.headers, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.ask("GET", path, **options)

    def post(self, path: str, body: Any = None) -> httpx.Response:
        return self.ask("POST", path, json=body)

    def at(self, client: httpx.Client) -> "Person":
        """The same, at another replica."""
        return Person(client, self.headers, self.refresh_token)


def log_in(client: httpx.Client, email: str, password: str = PASSWORD) -> Person:
    answer = client.post("/api/v1/auth/login", json={"email": email, "password": password})
    assert answer.status_code == 200, answer.text
    tokens = answer.json()
    return Person(client, bearer(tokens["access_token"]), tokens["refresh_token"])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def program(person: Person, *scopes: str) -> Person:
    """A program with a new key of that person's."""
    made = person.post("/me/api-keys", {"name": "test", "scopes": scopes})
    assert made.status_code == 201, made.text
    return Person(person.client, bearer(made.json()["key"]))


def user_id(admin: Person, email: str) -> str:
    users = admin.get("/admin/users").json()["items"]
    [found] = [user["id"] for user in users if user["email"] == email]
    return found


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and detail of a problem."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["detail"]


def as_browser(client: TestClient) -> TestClient:
    """It asks for pages and follows no redirect."""
    client.follow_redirects = False
    client.headers["Accept"] = "text/html"
    return client


def alert(answer: httpx.Response) -> tuple[int, str]:
    """Status and the text of the page's alert."""
    found = re.search(r'role="alert">.*?<div>(.*?)</div>', answer.text, re.DOTALL)
    return answer.status_code, html.unescape(found.group(1)) if found else ""


def new(name: str, **more: Any) -> Json:
    return {"kind": "component", "name": name, "title": name.title(), "owner": "payments", **more}


def put(person: Person, path: str, body: Any, etag: str | None = None) -> httpx.Response:
    return send(person, "PUT", path, etag, json=body)


def send(
    person: Person, method: str, path: str, etag: str | None = None, **options: Any
) -> httpx.Response:
    headers = {**person.headers, **({"If-Match": etag} if etag else {})}
    return person.client.request(method, f"/api/v1/entities{path}", headers=headers, **options)


def add(person: Person, name: str, **more: Any) -> tuple[str, str]:
    """A new component's path and ETag."""
    answer = person.post("/entities", new(name, **more))
    assert answer.status_code == 201, answer.text
    place = answer.headers["location"].removeprefix("/api/v1/entities")
    return place, answer.headers["etag"]


def change(title: str, **more: Any) -> Json:
    return {"title": title, "owner": "payments", **more}


def events(environment: Environment, target: str) -> list[tuple[Any, ...]]:
    query = f"select actor, action, detail from audit_event where target = '{target}' order by id"
    return ask(environment, query)
