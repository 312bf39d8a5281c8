"""YAML from untrusted sources, as JSON has it: no objects, no bombs.

Scalars mean what they do in YAML 1.2's core schema, as OpenAPI and Backstage want it: `yes` and
`on` are words, and a date is the text it is. Values are made while the text is parsed, since
PyYAML's own tree of nodes takes ten times the memory of what it stands for. What aliases stand for
is shared; how much it would be if it were written out is counted before anybody writes it out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

_MAX_DEPTH = 100
_MAX_VALUES = 1_000_000
"""With every alias written out; a document of 10 MB has about half as many."""
_MAX_CHARACTERS = 16 * 1024 * 1024
"""With every alias written out."""

_MAX_DIGITS = 1000
"""Of a number by another base than ten; Python itself bounds those of base ten, at 4,300."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXT_TAG = "tag:yaml.org,2002:str"
_NUMBER_TAGS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
"""Go's libraries write `!!float 1`, which JSON does not tell from `1`."""
_PLAIN = re.compile(
    r"(?:(?P<null>~|null|Null|NULL|)|(?P<true>true|True|TRUE)|(?P<false>false|False|FALSE)"
    r"|(?P<whole>[-+]?[0-9]+)|(?P<octal>0o[0-7]+)|(?P<hexadecimal>0x[0-9a-fA-F]+)"
    r"|(?P<number>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<infinite>[-+]?)\.(?:inf|Inf|INF)|(?P<nan>\.(?:nan|NaN|NAN)))\Z"
)
_MEANING: dict[str | None, Any] = {
    "null": lambda _: None,
    "true": lambda _: True,
    "false": lambda _: False,
    "whole": int,
    "octal": lambda text: _whole(text[2:], 8),
    "hexadecimal": lambda text: _whole(text[2:], 16),
    "number": float,
    "infinite": lambda text: float(text.replace(".", "")),
    "nan": lambda _: float("nan"),
}


class _Dumper(yaml.SafeDumper):
    """Quotes what YAML 1.2 would take for something else than a text, too."""


_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", _PLAIN, None)


class YamlError(Exception):
    """The text is refused; the message says where and why."""


def load_documents(text: str) -> Iterator[Any]:
    """Every document of the text, as JSON values; what an alias refers to is the same object.

    Raises
    ------
    YamlError
        Raised for text that is not YAML, refers to itself, or is too large with aliases expanded.
    """
    try:
        yield from _Reader(yaml.parse(text, Loader=_Loader)).documents()
    except yaml.YAMLError as error:
        raise YamlError(_explain(error)) from error
    except ValueError as error:
        raise YamlError(f"should be plain YAML (got: {error})") from error


def dump_document(value: Any) -> str:
    """A JSON value as people write it, so that `load_documents` gives the same."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text.rstrip()


@dataclass
class _Size:
    values: int = 0
    characters: int = 0


class _Reader:
    """Makes values of the parser's events."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._anchors: dict[str, tuple[Any, _Size]] = {}
        self._keys: dict[str, str] = {}
        self._size = _Size()
        self._depth = 0

    def documents(self) -> Iterator[Any]:
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors.clear()
                yield self._value(next(self._events))

    def _value(self, event: Any) -> Any:
        if isinstance(event, yaml.AliasEvent):
            value, size = self._known(event)
            self._count(event, size.values, size.characters)
            return value
        before = _Size(self._size.values, self._size.characters)
        if isinstance(event, yaml.ScalarEvent):
            self._count(event, 1, len(event.value))
            value = _scalar(event)
        else:
            self._count(event, 1, 0)
            value = self._collection(event)
        if event.anchor is not None:
            size = self._size
            own = _Size(size.values - before.values, size.characters - before.characters)
            self._anchors[event.anchor] = value, own
        return value

    def _collection(self, event: Any) -> Any:
        if event.tag is not None and not event.implicit:
            raise YamlError(f"{_place(event)}: should have no tag (got '{event.tag}')")
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise YamlError(f"{_place(event)}: should be nested at most {_MAX_DEPTH} deep")
        is_list = isinstance(event, yaml.SequenceStartEvent)
        value = [*self._items()] if is_list else self._mapping()
        self._depth -= 1
        return value

    def _items(self) -> Iterator[Any]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._value(event)

    def _mapping(self) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event)
            value = self._value(next(self._events))
            # An alias as a key is the text that it stands for.
            if key == "<<" and isinstance(event, yaml.ScalarEvent) and event.implicit[0]:
                _merge(merged, value, event)
            else:
                own[key] = value
        return merged | own if merged else own

    def _key(self, event: Any) -> str:
        """The key as it is written: JSON's are texts, and `1.10` is not `1.1`."""
        key = event.value if isinstance(event, yaml.ScalarEvent) else None
        if isinstance(event, yaml.AliasEvent):
            key = self._known(event)[0]
        if not isinstance(key, str):
            raise YamlError(f"{_place(event)}: should have a text as its key")
        self._count(event, 1, len(key))
        if event.anchor is not None and not isinstance(event, yaml.AliasEvent):
            self._anchors[event.anchor] = key, _Size(1, len(key))
        return self._keys.setdefault(key, key)

    def _known(self, event: Any) -> tuple[Any, _Size]:
        if event.anchor not in self._anchors:
            raise YamlError(f"{_place(event)}: should not refer to itself or to nothing")
        return self._anchors[event.anchor]

    def _count(self, event: Any, values: int, characters: int) -> None:
        self._size.values += values
        self._size.characters += characters
        if self._size.values > _MAX_VALUES:
            raise YamlError(f"{_place(event)}: should have at most {_MAX_VALUES} values in all")
        if self._size.characters > _MAX_CHARACTERS:
            limit = f"at most {_MAX_CHARACTERS} characters in all, with aliases written out"
            raise YamlError(f"{_place(event)}: should have {limit}")


def _scalar(event: Any) -> Any:
    text: str = event.value
    if event.tag in _NUMBER_TAGS and (found := _PLAIN.match(text)):
        return _MEANING[found.lastgroup](text)
    if event.tag not in (None, "!", _TEXT_TAG):
        raise YamlError(f"{_place(event)}: should have no tag but !!str (got '{event.tag}')")
    if event.tag is not None or not event.implicit[0]:
        return text
    found = _PLAIN.match(text)
    return _MEANING[found.lastgroup](text) if found else text


def _whole(digits: str, base: int) -> int:
    """The number; a longer one could be read, but not be written in base ten, as JSON wants it."""
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"a number of more than {_MAX_DIGITS} digits")
    return int(digits, base)


def _merge(merged: dict[str, Any], value: Any, event: Any) -> None:
    """Add what `<<` brings; the first of several that have the same key counts."""
    for part in value if isinstance(value, list) else [value]:
        if not isinstance(part, dict):
            raise YamlError(f"{_place(event)}: should have a mapping, or a list of them, as its <<")
        for key, item in part.items():
            merged.setdefault(key, item)


def _explain(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return f"{where}should be YAML (got: {problem})"


def _place(event: Any) -> str:
    return f"line {event.start_mark.line + 1}"
