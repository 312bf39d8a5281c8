"""Differences between two documents, operation by operation."""

from collections.abc import Iterator
from typing import Any

from app.openapi.diff.changes import Change, Direction
from app.openapi.diff.parts import PartDiff
from app.openapi.diff.schemas import SchemaDiff
from app.openapi.diff.security import compare_schemes, compare_security
from app.openapi.operations import Operation, operations

_Key = tuple[str, str]


class DocumentDiff:
    """Compares two documents once."""

    def __init__(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        self._old = old
        self._new = new
        self._parts = PartDiff(old, new, SchemaDiff(old, new))

    def compare(self) -> list[Change]:
        """Every difference, in the order of the documents."""
        return [
            *self._servers(),
            *compare_schemes(self._old, self._new),
            *self._section("paths", Direction.REQUEST),
            # There the API's client is the one that receives requests.
            *self._section("webhooks", Direction.RESPONSE),
        ]

    def _servers(self) -> Iterator[Change]:
        before, after = _servers(self._old), _servers(self._new)
        for url in before:
            if url not in after:
                yield Change("server-removed", True, "servers", f"{url} is no longer a server")
        for url in after:
            if url not in before:
                yield Change("server-added", False, "servers", f"{url} is a new server")

    def _section(self, name: str, sends: Direction) -> Iterator[Change]:
        before = {operation.key: operation for operation in operations(self._old, name)}
        after = {operation.key: operation for operation in operations(self._new, name)}
        yield from _removed(before, after)
        for key, operation in before.items():
            if key in after:
                yield from self._operation(operation, after[key], sends)
        for key, operation in after.items():
            if key not in before:
                yield Change("operation-added", False, operation.title, "it is new")

    def _operation(self, old: Operation, new: Operation, sends: Direction) -> Iterator[Change]:
        yield from _names(old, new)
        yield from compare_security(old, new)
        yield from self._parts.parameters(old, new)
        yield from self._parts.body(old, new, sends)
        yield from self._parts.responses(old, new, sends.opposite)


def _servers(document: dict[str, Any]) -> list[str]:
    return [str(server.get("url")) for server in document.get("servers") or []]


def _removed(before: dict[_Key, Operation], after: dict[_Key, Operation]) -> Iterator[Change]:
    paths = {path for path, _ in after}
    told: set[str] = set()
    for key, operation in before.items():
        if key in after:
            continue
        if key[0] in paths:
            yield Change("operation-removed", True, operation.title, "it was removed")
        elif key[0] not in told:
            told.add(key[0])
            message = "the path was removed"
            yield Change("path-removed", True, operation.path, message)


def _names(old: Operation, new: Operation) -> Iterator[Change]:
    if new.node.get("deprecated") is True and old.node.get("deprecated") is not True:
        yield Change("operation-deprecated", False, new.title, "it is now deprecated")
    if old.name and old.name != new.name:
        message = f"operationId was {old.name} and is {new.name or 'not set'}"
        yield Change("operation-id-changed", False, new.title, message)
