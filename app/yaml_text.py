"""YAML from untrusted sources: no objects, no bombs, nothing that JSON does not have."""

from collections.abc import Iterator
from typing import Any

import yaml

_MAX_DEPTH = 100
_MAX_NODES = 1_000_000
"""Counted with every alias expanded; a document of 10 MB has about half as many."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlError(Exception):
    """The text is refused; the message says where and why."""


class _JsonLoader(_Loader):
    """Leaves dates as the text they are: JSON has none."""


_JsonLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if not tag.endswith(":timestamp")]
    for first, known in _Loader.yaml_implicit_resolvers.items()
}


def load_documents(text: str) -> Iterator[Any]:
    """Every document of the text, as JSON values.

    Raises
    ------
    YamlError
        Raised for text that is not YAML, refers to itself, or is too large with aliases expanded.
    """
    try:
        _measure(text)
        for document in yaml.load_all(text, Loader=_JsonLoader):
            yield _as_json(document)
    except yaml.YAMLError as error:
        raise YamlError(_explain(error)) from error
    except (RecursionError, ValueError) as error:
        raise YamlError(f"should be plain YAML (got: {error})") from error


class _Sizes:
    """The number of nodes with every alias expanded."""

    def __init__(self) -> None:
        self.total = 0
        self._anchors: dict[str, int] = {}
        self._open: list[tuple[str | None, int]] = []

    def add(self, event: Any) -> None:
        """Count one event of the parser."""
        match event:
            case yaml.DocumentStartEvent():
                self._anchors.clear()
            case yaml.AliasEvent():
                self.total += self._size_of(event)
            case yaml.ScalarEvent():
                self._close(event.anchor, self.total)
            case yaml.CollectionStartEvent():
                self._open.append((event.anchor, self.total))
                if len(self._open) > _MAX_DEPTH:
                    raise YamlError(f"{_place(event)}: should be nested at most {_MAX_DEPTH} deep")
            case yaml.CollectionEndEvent():
                self._close(*self._open.pop())
        if self.total > _MAX_NODES:
            raise YamlError(f"{_place(event)}: should have at most {_MAX_NODES} values in all")

    def _close(self, anchor: str | None, before: int) -> None:
        self.total += 1
        if anchor is not None:
            self._anchors[anchor] = self.total - before

    def _size_of(self, event: Any) -> int:
        if event.anchor not in self._anchors:
            raise YamlError(f"{_place(event)}: should not refer to itself or to nothing")
        return self._anchors[event.anchor]


def _measure(text: str) -> None:
    sizes = _Sizes()
    for event in yaml.parse(text, Loader=_Loader):
        sizes.add(event)


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {_key(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if isinstance(value, str | int | float) or value is None:
        return value
    raise ValueError(f"a value of the type {type(value).__name__}")


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    if isinstance(key, str | int | float):
        return str(key)
    raise ValueError(f"a key of the type {type(key).__name__}")


def _explain(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return f"{where}should be YAML (got: {problem})"


def _place(event: Any) -> str:
    return f"line {event.start_mark.line + 1}"
