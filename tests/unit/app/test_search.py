"""Search while the catalogue changes: it asks twice, for what matches and for its texts."""

import asyncio
import uuid
from types import SimpleNamespace
from typing import Any

from app.storage import search

_HIT = {
    "type": "entity",
    "kind": "component",
    "namespace": "default",
    "entity_title": "An entity",
    "part": None,
}


class Rows(list[Any]):
    """A result, as far as it is read here."""

    def all(self) -> list[Any]:
        return self


class Answers:
    """A connection that has its answers ready."""

    def __init__(self, *answers: list[Any]) -> None:
        self._answers = [*answers]

    async def execute(self, _statement: object, _values: object) -> Rows:
        return Rows(self._answers.pop(0))


def hit(name: str) -> Any:
    return SimpleNamespace(
        _mapping=_HIT | {"name": name},
        versions=None,
        part=None,
        type="entity",
        entity_id=uuid.UUID(int=1),
    )


def test_entity_that_is_removed_during_a_search_is_not_found_any_more() -> None:
    texts = [SimpleNamespace(place=2, title="Orders", excerpt="takes orders")]
    connection: Any = Answers([hit("gone"), hit("orders")], texts)
    limits: Any = {"phrase": "orders", "kind": None, "owner": None, "skipped": 0, "limit": 20}
    found = asyncio.run(search.find(connection, ["orders"], **limits))
    assert [(one.name, one.title, one.highlight) for one in found] == [
        ("orders", "Orders", "takes orders")
    ]
