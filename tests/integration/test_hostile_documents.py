"""Large and hostile documents on production: each is answered, and nothing is restarted."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from benchmarks.harness.portal_stack import PortalStack
from benchmarks.harness.production import admin_password, portal_client
from tests.support.api_documents import large_yaml

PLACE = "/api/v1/entities/api/default/large-api"
AT_ONCE = 4
_NEW = {"kind": "api", "name": "large-api", "title": "Large", "owner": "loaders"}
# Administrators beside the first, who still has to change his password.
_PEOPLE = """insert into user_account (id, email, password_hash, role)
select gen_random_uuid(), 'loader' || n || '@example.com', password_hash, 'admin'
from user_account, generate_series(1, 4) n where email = 'admin@example.com'"""


@pytest.fixture(scope="module")
def people(production_stack: PortalStack) -> Iterator[list[httpx.Client]]:
    """Four who may upload, each signed in."""
    production_stack.query(_PEOPLE)
    password = admin_password(production_stack)
    clients = [portal_client(production_stack) for _ in range(AT_ONCE)]
    for number, client in enumerate(clients, 1):
        client.timeout = 90
        given = {"email": f"loader{number}@example.com", "password": password}
        token = client.post("/api/v1/auth/login", json=given).raise_for_status().json()
        client.headers["Authorization"] = f"Bearer {token['access_token']}"
    clients[0].post("/api/v1/teams", json={"name": "loaders", "title": "Loaders"})
    clients[0].post("/api/v1/entities", json=_NEW).raise_for_status()
    yield clients
    clients[0].delete(PLACE, headers={"If-Match": "*"})
    for client in clients:
        client.close()
    production_stack.query("delete from user_account where email like 'loader%'")


def upload_at_once(people: list[httpx.Client], name: str, content: bytes) -> list[httpx.Response]:
    def upload(number: int) -> httpx.Response:
        path = f"{PLACE}/versions/{name}.{number}"
        # Another document for each: the same one would be stored and read once.
        return people[number].put(path, content=content + b"\n" * number)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(upload, range(AT_ONCE)))


def restarts(stack: PortalStack) -> dict[str, int]:
    return {str(one.name): one.attrs["RestartCount"] for one in stack.containers()}


class MemoryOfReplicas:
    """The highest use of memory of a replica, in MB, while a test runs."""

    def __init__(self, stack: PortalStack) -> None:
        self._containers = stack.containers("app")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.seen: list[int] = []

    def __enter__(self) -> "MemoryOfReplicas":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.2):
            found: list[Any] = [one.stats(stream=False) for one in self._containers]
            self.seen.append(max(one["memory_stats"].get("usage", 0) >> 20 for one in found))


def test_large_documents_uploaded_at_once_are_taken_or_told_to_wait(
    production_stack: PortalStack, people: list[httpx.Client]
) -> None:
    before = restarts(production_stack)
    documents = {
        "a": large_yaml(operations=850, schemas=350).encode(),
        "b": large_yaml(operations=350, schemas=800).encode(),
    }
    with MemoryOfReplicas(production_stack) as memory:
        for name, content in documents.items():
            assert 8_000_000 < len(content) < 10_000_000
            answers = upload_at_once(people, name, content)
            statuses = Counter(answer.status_code for answer in answers)
            print(f"{name}: {len(content) / 1e6:.1f} MB, {dict(statuses)}")
            assert statuses[201] >= 1
            assert set(statuses) <= {201, 503}
            assert all("Retry-After" in one.headers for one in answers if one.status_code == 503)
        kept = [item["version"] for item in people[0].get(f"{PLACE}/versions").json()["items"]]
        diff = people[0].get(f"{PLACE}/diff", params={"from": kept[-1], "to": kept[0]})
        assert diff.status_code == 200
    print(f"memory of a replica at most {max(memory.seen)} MB: {memory.seen}")
    assert restarts(production_stack) == before
    assert people[0].get("/health").status_code == 200


def test_hostile_documents_uploaded_at_once_are_refused(
    production_stack: PortalStack, people: list[httpx.Client]
) -> None:
    before = restarts(production_stack)
    head = b'{"openapi": "3.1.0", "info": {"title": "a", "version": "1"}, "paths": {}, "x-lists": ['
    lists = head + b"[]," * 3_300_000 + b"[]]}"
    with MemoryOfReplicas(production_stack) as memory:
        answers = upload_at_once(people, "lists", lists)
        answers += upload_at_once(
            people, "aliases", b"a: &a " + b"x" * 9_000_000 + b"\nb: [*a, *a]"
        )
    found = Counter((one.status_code, one.json()["title"]) for one in answers)
    print(f"memory of a replica at most {max(memory.seen)} MB: {found}")
    assert set(found) <= {
        (413, "Too large"),
        (422, "Invalid request"),
        (503, "Temporarily unavailable"),
    }
    assert found[413, "Too large"] >= 1
    assert restarts(production_stack) == before
    assert people[0].get("/health").status_code == 200
