"""Differences in the parts of an operation: parameters, body, responses."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.openapi.diff.changes import Change, Direction, Part, narrowed
from app.openapi.operations import Operation
from app.openapi.references import resolve
from app.outline import mapping

_Parameters = dict[tuple[str, str], Mapping[str, Any]]
_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}


class PartDiff:
    """Compares parts of operations that both documents have; places are inside the operation."""

    def __init__(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        self._old = old
        self._new = new

    def parameters(
        self, old: Operation, new: Operation, direction: Direction
    ) -> Iterator[Change | Part]:
        """Differences in parameters; those of the path are the same by their position."""
        before, after = _keyed(old), _keyed(new)
        said = "accepted" if direction is Direction.REQUEST else "sent"
        for key, parameter in before.items():
            place = f"{key[0]} parameter '{parameter.get('name')}'"
            if key in after:
                yield from self._parameter(parameter, after[key], direction, place)
            else:
                yield Change("parameter-removed", True, place, f"it is no longer {said}")
        for key, parameter in after.items():
            if key not in before:
                place = f"{key[0]} parameter '{parameter.get('name')}'"
                yield _added("parameter", parameter, direction, place)

    def _parameter(
        self, old: Mapping[str, Any], new: Mapping[str, Any], direction: Direction, place: str
    ) -> Iterator[Change | Part]:
        yield from _required("parameter", old, new, direction, place)
        if _style(old) != _style(new):
            yield Change("parameter-style-changed", True, place, "it is written in another way")
        if new.get("deprecated") is True and old.get("deprecated") is not True:
            yield Change("deprecated", False, place, "it is now deprecated")
        if "content" in old and "content" in new:
            yield from self._content(old, new, direction, place)
        elif "content" not in old and "content" not in new:
            yield from self._schema(old, new, direction, place)

    def body(self, old: Operation, new: Operation, direction: Direction) -> Iterator[Change | Part]:
        """Differences in what is sent."""
        place = "body" if direction is Direction.REQUEST else "payload"
        if old.body is None or new.body is None:
            if new.body is not None:
                yield _added("body", new.body, direction, place)
            elif old.body is not None:
                yield Change("body-removed", True, place, "it was removed")
            return
        yield from _required("body", old.body, new.body, direction, place)
        yield from self._content(old.body, new.body, direction, place)

    def responses(
        self, old: Operation, new: Operation, direction: Direction
    ) -> Iterator[Change | Part]:
        """Differences in responses."""
        for status, response in old.responses.items():
            place = f"response {status}"
            if status in new.responses:
                after = new.responses[status]
                yield from self._headers(response, after, place)
                yield from self._content(response, after, direction, place)
            else:
                # Losing an error harms no client.
                is_error = status[:1] in ("4", "5")
                yield Change("response-removed", not is_error, place, "it was removed")
        for status in new.responses:
            if status not in old.responses:
                yield Change("response-added", False, f"response {status}", "it is new")

    def _headers(self, old: Any, new: Any, place: str) -> Iterator[Change | Part]:
        before, after = _headers(self._old, old), _headers(self._new, new)
        for name, header in before.items():
            where = f"{place} header '{name}'"
            if name not in after:
                yield Change("header-removed", True, where, "it was removed")
                continue
            if header.get("required") and not after[name].get("required"):
                yield Change("header-optional", True, where, "it may now be missing")
            yield from self._schema(header, after[name], Direction.RESPONSE, where)
        for name in after:
            if name not in before:
                yield Change("header-added", False, f"{place} header '{name}'", "it is new")

    def _content(
        self, old: Any, new: Any, direction: Direction, place: str
    ) -> Iterator[Change | Part]:
        before, after = mapping(mapping(old).get("content")), mapping(mapping(new).get("content"))
        for media, content in before.items():
            if media in after:
                yield from self._schema(content, after[media], direction, f"{place} {media} ")
            else:
                yield Change("media-type-removed", True, place, f"{media} was removed")
        for media in after:
            if media not in before:
                yield Change("media-type-added", False, place, f"{media} is new")

    def _schema(self, old: Any, new: Any, direction: Direction, place: str) -> Iterator[Part]:
        yield Part(place, old.get("schema", {}), new.get("schema", {}), direction)


def _added(what: str, part: Mapping[str, Any], direction: Direction, place: str) -> Change:
    if part.get("required") and direction is Direction.REQUEST:
        return Change(f"{what}-required", True, place, "it is now required")
    return Change(f"{what}-added", False, place, "it is new")


def _required(
    what: str, old: Mapping[str, Any], new: Mapping[str, Any], direction: Direction, place: str
) -> Iterator[Change]:
    is_now = bool(new.get("required"))
    if is_now != bool(old.get("required")):
        word = "required" if is_now else "optional"
        said = f"it is now {word}"
        yield narrowed(f"{what}-{word}", direction, said, is_narrower=is_now, where=place)


def _keyed(operation: Operation) -> _Parameters:
    positions = {name: index for index, name in enumerate(operation.path_order())}
    return {
        (where, str(positions.get(name, name)) if where == "path" else name.lower())
        if where in ("path", "header")
        else (where, name): parameter
        for (where, name), parameter in operation.parameters.items()
    }


def _style(parameter: Mapping[str, Any]) -> tuple[Any, ...]:
    if "content" in parameter:
        return ("content",)
    style = parameter.get("style", _STYLES.get(str(parameter.get("in"))))
    return style, parameter.get("explode", style == "form"), bool(parameter.get("allowReserved"))


def _headers(document: dict[str, Any], response: Any) -> dict[str, Mapping[str, Any]]:
    found = mapping(mapping(response).get("headers"))
    return {name.lower(): mapping(resolve(document, header)) for name, header in found.items()}
