"""Alternatives of two schemas (`oneOf`, `anyOf`): which belong together, and their names."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from app.openapi.diff.changes import Change, Direction, Part, listed, narrowed
from app.openapi.diff.shapes import NULL, Choice, Shape, Shapes, canonical
from app.openapi.references import last_name
from app.outline import items, mapping

_WORDS = {"title", "description", "example", "examples", "externalDocs", "$comment"}
_Key = Callable[[Any], str]


class AlternativesDiff:
    """Compares lists of alternatives."""

    def __init__(self, old: Shapes, new: Shapes) -> None:
        self._old = old
        self._new = new

    def compare(
        self, old: Shape, new: Shape, before: Any, after: Any, direction: Direction
    ) -> Iterator[Change | Part]:
        """Differences in what there is to choose from; parts of what stays are to be compared."""
        gone, come = _choices(old, before), _choices(new, after)
        for (_, one), (_, other) in _choices_together(gone, come):
            for found in self._choice(list(one), list(other), direction):
                yield self._within(found, old, new, before, after)
        for left, verb, is_narrower in ((gone, "need no longer", False), (come, "must now", True)):
            for _, schemas in left:
                names = listed([_name(schema, "") for schema in schemas])
                message = f"it {verb} be one of {names} as well"
                yield narrowed("alternatives-changed", direction, message, is_narrower=is_narrower)
        shapes = (mapping(shape.rest.get("discriminator")) for shape in (old, new))
        before, after = (discriminator.get("propertyName") for discriminator in shapes)
        # A single schema has none, and says itself what it requires.
        if before != after and old.alternatives and new.alternatives:
            yield Change("discriminator-changed", True, "", "another property tells them apart")

    def _choice(
        self, gone: list[Any], come: list[Any], direction: Direction
    ) -> Iterator[Change | Part]:
        old_name, new_name = self._old.name_of, self._new.name_of
        for one, other in _partners(gone, come, old_name, new_name):
            yield Part("", one, other, direction)
        for schema in gone:
            message = f"{_name(schema, old_name(schema))} is no longer an alternative"
            yield narrowed("alternative-removed", direction, message, is_narrower=True)
        for schema in come:
            message = f"{_name(schema, new_name(schema))} is a new alternative"
            yield narrowed("alternative-added", direction, message, is_narrower=False)

    def _within(
        self, found: Change | Part, old: Shape, new: Shape, before: Any, after: Any
    ) -> Change | Part:
        """A single schema is compared with all that one of several has to be."""
        if isinstance(found, Change) or (old.alternatives and new.alternatives):
            return found
        if old.alternatives:
            return replace(found, old=self._old.within(before, found.old))
        return replace(found, new=self._new.within(after, found.new))


def _choices(shape: Shape, schema: Any) -> list[Choice]:
    """The lists of alternatives; of a single schema itself, and null where it may be that."""
    if not shape.alternatives:
        given = mapping(schema)
        return [("", items(given.get("oneOf")) or items(given.get("anyOf")) or [schema])]
    null = [NULL] if shape.rest.get("x-or-null") else []
    return [(word, one if NULL in one else [*one, *null]) for word, one in shape.alternatives]


def _choices_together(gone: list[Choice], come: list[Choice]) -> Iterator[tuple[Choice, Choice]]:
    """Lists of alternatives that belong together, taken out of both.

    First those that are equal, then those of the same keyword, then as they stand.
    """
    yield from _take(gone, come, lambda one: canonical(one[1]))
    yield from _take(gone, come, lambda one: one[0])
    while gone and come:
        yield gone.pop(0), come.pop(0)


def _partners(
    gone: list[Any], come: list[Any], old_name: _Key, new_name: _Key
) -> Iterator[tuple[Any, Any]]:
    """Alternatives that belong together, taken out of both lists.

    First by the name of what they are or refer to, then those that are equal; where one of each is
    left it is the same one, changed.
    """
    yield from _take(gone, come, old_name, new_name)
    yield from _take(gone, come, _meaning)
    if len(gone) == len(come) == 1 and not (_reference(gone[0]) and _reference(come[0])):
        yield gone.pop(), come.pop()


def _take(
    gone: list[Any], come: list[Any], old_key: _Key, new_key: _Key | None = None
) -> list[tuple[Any, Any]]:
    """Those of the same key, taken out of both lists."""
    waiting = defaultdict[str, deque[Any]](deque)
    for item in come:
        waiting[(new_key or old_key)(item)].append(item)
    waiting.pop("", None)
    found, left = list[tuple[Any, Any]](), list[Any]()
    for item in gone:
        if same := waiting[old_key(item)]:
            found.append((item, same.popleft()))
        else:
            left.append(item)
    taken = {id(item) for _, item in found}
    gone[:] = left
    come[:] = [item for item in come if id(item) not in taken]
    return found


def _meaning(schema: Any) -> str:
    """Without the words that explain it: they move to where the alternatives are listed."""
    if isinstance(schema, dict):
        schema = {name: value for name, value in schema.items() if name not in _WORDS}
    return canonical(schema)


def _reference(schema: Any) -> str | None:
    return schema.get("$ref") if isinstance(schema, dict) else None


def _name(schema: Any, name: str) -> str:
    """As a reader knows it; `name` is that of the schema itself."""
    reference = _reference(schema)
    said = last_name(reference) if reference else name
    if not said and isinstance(schema, dict):
        said = schema.get("title") or schema.get("type")
    return f"'{said}'" if said else "a schema"
