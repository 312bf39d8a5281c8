"""The portal in this process, and people who use it."""

import itertools
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
from fastapi.testclient import TestClient

from app.config import load_config
from app.main import create_app
from tests.support.waiting import wait_until_ok

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
