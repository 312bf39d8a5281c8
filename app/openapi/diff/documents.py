"""Differences between two documents, operation by operation."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from app.openapi.diff.changes import Change, Direction, Groups, Part, Subject
from app.openapi.diff.parts import PartDiff
from app.openapi.diff.schemas import Pair, SchemaDiff
from app.openapi.diff.security import compare_schemes, compare_security
from app.openapi.operations import Operation, operations

_Key = tuple[str, str]
_DOCUMENT: Subject = ("document", "The whole document")
_MAX_FIRST_PLACES = 5


class DocumentDiff:
    """Compares two documents once."""

    def __init__(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        self._old = old
        self._new = new
        self._parts = PartDiff(old, new)
        self._schemas = SchemaDiff(old, new)
        self._groups: Groups = {}
        self._roots: list[tuple[Subject, str, Pair]] = []

    def compare(self) -> Groups:
        """Every difference: of the document and its operations in its order, then of schemas."""
        self._add(_DOCUMENT, self._servers())
        self._add(_DOCUMENT, compare_schemes(self._old, self._new))
        self._section("paths", Direction.REQUEST)
        # There the API's client is the one that receives requests.
        self._section("webhooks", Direction.RESPONSE)
        self._schemas.compare()
        self._add_schemas()
        return {subject: changes for subject, changes in self._groups.items() if changes}

    def _add(self, subject: Subject, found: Iterable[Change | Part]) -> None:
        changes = self._groups.setdefault(subject, [])
        for item in found:
            if isinstance(item, Part):
                self._roots.append((subject, item.place, self._schemas.pair(item)))
            else:
                changes.append(item)

    def _servers(self) -> Iterator[Change]:
        before, after = _servers(self._old), _servers(self._new)
        for url in before:
            if url not in after:
                yield Change("server-removed", True, "servers", f"{url} is no longer a server")
        for url in after:
            if url not in before:
                yield Change("server-added", False, "servers", f"{url} is a new server")

    def _section(self, name: str, sends: Direction) -> None:
        before = {operation.key: operation for operation in operations(self._old, name)}
        after = {operation.key: operation for operation in operations(self._new, name)}
        for title, change in _removed(before, after):
            self._add(("operation", title), [change])
        for key, operation in before.items():
            if key in after:
                found = self._operation(operation, after[key], sends)
                self._add(("operation", after[key].title), found)
        for key, operation in after.items():
            if key not in before:
                is_new = Change("operation-added", False, "", "it is new")
                self._add(("operation", operation.title), [is_new])

    def _operation(
        self, old: Operation, new: Operation, sends: Direction
    ) -> Iterator[Change | Part]:
        yield from _names(old, new)
        yield from compare_security(old, new)
        yield from self._parts.parameters(old, new, sends)
        yield from self._parts.body(old, new, sends)
        yield from self._parts.responses(old, new, sends.opposite)

    def _add_schemas(self) -> None:
        """What schemas differ in: at the operation if they have no name, else once, by name."""
        pending = deque[Pair]()
        for number, (subject, place, pair) in enumerate(self._roots):
            named = [pair]
            if not pair.name:
                changes, named = pair.owned()
                self._groups[subject] += (change.at(place) for change in changes)
            for schema in named:
                schema.shown_at |= 1 << number
            pending.extend(named)
        found: dict[Subject, dict[Change, int]] = {}
        for pair, changes in _spread(pending).items():
            known = found.setdefault(("schema", pair.name), {})
            for change in changes:
                known[change] = known.get(change, 0) | pair.shown_at
        for subject, shown in found.items():
            self._groups[subject] = [self._placed(change, at) for change, at in shown.items()]

    def _placed(self, change: Change, shown_at: int) -> Change:
        first = list[str]()
        rest = shown_at
        while rest and len(first) < _MAX_FIRST_PLACES:
            lowest = rest & -rest
            (_, title), place, _ = self._roots[lowest.bit_length() - 1]
            first.append(f"{title} {place.strip()}")
            rest ^= lowest
        return replace(change, places=shown_at.bit_count(), first_places=tuple(first))


def _spread(pending: deque[Pair]) -> dict[Pair, list[Change]]:
    """Each named pair, the shallow ones first, after telling those it leads to where it shows."""
    known: dict[Pair, tuple[list[Change], list[Pair]]] = {}
    while pending:
        pair = pending.popleft()
        if pair not in known:
            known[pair] = pair.owned()
            pending.extend(known[pair][1])
        for part in known[pair][1]:
            if part.shown_at | pair.shown_at != part.shown_at:
                part.shown_at |= pair.shown_at
                pending.append(part)
    return {pair: changes for pair, (changes, _) in known.items()}


def _servers(document: dict[str, Any]) -> list[str]:
    return [str(server.get("url")) for server in document.get("servers") or []]


def _removed(
    before: dict[_Key, Operation], after: dict[_Key, Operation]
) -> Iterator[tuple[str, Change]]:
    paths = {path for path, _ in after}
    told: set[str] = set()
    for key, operation in before.items():
        if key in after:
            continue
        if key[0] in paths:
            yield operation.title, Change("operation-removed", True, "", "it was removed")
        elif key[0] not in told:
            told.add(key[0])
            yield operation.path, Change("path-removed", True, "", "the path was removed")


def _names(old: Operation, new: Operation) -> Iterator[Change]:
    if new.node.get("deprecated") is True and old.node.get("deprecated") is not True:
        yield Change("operation-deprecated", False, "", "it is now deprecated")
    if old.name and old.name != new.name:
        message = f"operationId was {old.name} and is {new.name or 'not set'}"
        yield Change("operation-id-changed", False, "", message)
