"""Changes of the catalogue, as its clients send them."""

from typing import Any

import httpx

from tests.support.portal_client import Person
from tests.support.portal_process import Environment, ask

Json = dict[str, Any]


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
