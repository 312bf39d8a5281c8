"""Two processes of the portal on the same stores: what one changes holds on the other at once."""

from collections.abc import Iterator

import httpx
import pytest

from tests.support.catalogue_client import add, change, put, send
from tests.support.portal_client import Person, log_in
from tests.support.portal_process import Environment, serve

Processes = tuple[httpx.Client, httpx.Client]


@pytest.fixture(scope="module")
def processes(environment: Environment) -> Iterator[Processes]:
    with (
        serve(environment) as (_, first),
        serve(environment) as (_, second),
        httpx.Client(base_url=first, timeout=30) as here,
        httpx.Client(base_url=second, timeout=30) as there,
    ):
        yield here, there


def read(person: Person, path: str, etag: str) -> httpx.Response:
    """Read what may have changed since."""
    headers = {**person.headers, "If-None-Match": etag}
    return person.client.get(f"/api/v1/entities{path}", headers=headers)


def test_written_entity_is_read_anew_from_the_other_process(processes: Processes) -> None:
    paula = log_in(processes[0], "paula@example.com")
    there = paula.at(processes[1])
    path, etag = add(paula, "between-processes")
    for number in range(20):
        assert read(there, path, etag).status_code == 304
        title, stale = f"Number {number}", etag
        etag = put(paula, path, change(title), stale).headers["etag"]
        answer = read(there, path, stale)
        assert (answer.status_code, answer.headers["etag"]) == (200, etag)
        assert answer.json()["title"] == title
    assert send(paula, "DELETE", path, etag).status_code == 204
    assert read(there, path, etag).status_code == 404


def test_written_list_page_and_relation_show_on_the_other_process(processes: Processes) -> None:
    paula = log_in(processes[0], "paula@example.com")
    there = paula.at(processes[1])
    path, _ = add(paula, "parts")
    place, relations = f"{path}/pages/runbook", f"{path}/relations"
    known = read(there, relations, '"none"').headers["etag"]
    listed = read(there, "?namespace=default", '"none"').headers["etag"]
    for title in ("First", "Second"):
        put(paula, place, {"title": title, "markdown": "# Text"}, "*" if title != "First" else None)
        assert send(there, "GET", place).json()["title"] == title
    assert send(paula, "PUT", f"{relations}/part_of/system/default/checkout").status_code == 204
    assert len(read(there, relations, known).json()["outgoing"]) == 1
    add(paula, "one-more")
    names = [item["name"] for item in read(there, "?namespace=default", listed).json()["items"]]
    assert "one-more" in names
