"""Large and hostile documents on production: each is answered, and nothing is restarted."""

from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from benchmarks.documents import PLACE, Memory, large_yaml, restarts, upload_at_once, uploaders
from benchmarks.harness.portal_stack import PortalStack

pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def people(production_stack: PortalStack) -> Iterator[list[httpx.Client]]:
    with uploaders(production_stack) as signed_in:
        yield signed_in


@pytest.fixture(autouse=True)
def memory(production_stack: PortalStack, people: list[httpx.Client]) -> Iterator[None]:
    """What it came to is printed, and nothing may be restarted for lack of it."""
    before = restarts(production_stack)
    with Memory(production_stack) as memory:
        yield
    print(f"memory of a replica at most {memory.most} MB: {memory.seen}")
    assert restarts(production_stack) == before
    assert people[0].get("/health").status_code == 200


def test_large_documents_uploaded_at_once_are_taken_or_told_to_wait(
    people: list[httpx.Client],
) -> None:
    documents = {
        "a": large_yaml(operations=850, schemas=350).encode(),
        "b": large_yaml(operations=350, schemas=800).encode(),
    }
    for name, content in documents.items():
        assert 8_000_000 < len(content) < 10_000_000
        answers = upload_at_once(people, name, content)
        statuses = Counter(answer.status_code for answer in answers)
        assert statuses[201] >= 1
        assert set(statuses) <= {201, 503}
        assert all("Retry-After" in one.headers for one in answers if one.status_code == 503)
    kept = [item["version"] for item in people[0].get(f"{PLACE}/versions").json()["items"]]
    diff = people[0].get(f"{PLACE}/diff", params={"from": kept[-1], "to": kept[0]})
    assert diff.status_code == 200


def test_hostile_documents_uploaded_at_once_are_refused(people: list[httpx.Client]) -> None:
    head = b'{"openapi": "3.1.0", "info": {"title": "a", "version": "1"}, "paths": {}, "x-lists": ['
    answers = upload_at_once(people, "lists", head + b"[]," * 3_300_000 + b"[]]}")
    answers += upload_at_once(people, "aliases", b"a: &a " + b"x" * 9_000_000 + b"\nb: [*a, *a]")
    found = Counter((one.status_code, one.json()["title"]) for one in answers)
    assert set(found) <= {
        (413, "Too large"),
        (422, "Invalid request"),
        (503, "Temporarily unavailable"),
    }
    assert found[413, "Too large"] >= 1
