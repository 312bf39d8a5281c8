"""An API document as pages show it, of whichever kind: an index, and each part by itself."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.lines import clean_line, shorten
from app.markdown import render_description

MAX_ENTRIES = 10_000
"""Operations, and schemas, of an index: far more than the largest public documents have."""
MAX_ROWS = 500
"""Of one table, and of the parts of one operation."""
MAX_CHARACTERS = 2_000_000
"""Of a page: what many responses refer to stands at each of them."""
_MAX_TEXT_CHARACTERS = 5000
_MAX_ID_CHARACTERS = 120
_NOT_IN_ID = re.compile("[^a-z0-9]+")


@dataclass(frozen=True)
class Row:
    """A parameter, or a property of a schema."""

    name: str
    type: str
    required: bool
    description: str
    """Safe HTML, as all descriptions here."""
    place: str = ""
    schema: str = ""
    """Name of the schema with the details."""


@dataclass(frozen=True)
class Body:
    """The body of a request, response or message in one format."""

    media_type: str
    type: str
    schema: str
    rows: list[Row]


@dataclass(frozen=True)
class Answer:
    """One response, or one message."""

    status: str
    description: str
    bodies: list[Body]


@dataclass(frozen=True)
class OperationHead:
    """What a client can do, as the index shows it."""

    id: str
    """Its part of an address: `get-orders-id`."""
    tag: str
    method: str
    path: str
    summary: str
    deprecated: bool


@dataclass(frozen=True)
class Operation(OperationHead):
    """The same with everything that a client has to know."""

    description: str
    parameters: list[Row]
    bodies: list[Body]
    answers: list[Answer]


@dataclass(frozen=True)
class Outline:
    """What there is in a document."""

    title: str
    description: str
    servers: list[str]
    operations: list[OperationHead]
    schemas: list[str]
    truncated: bool

    @classmethod
    def of(
        cls,
        operations: list[OperationHead],
        schemas: list[str],
        *,
        title: str = "",
        description: str = "",
        servers: list[str] | None = None,
    ) -> "Outline":
        """The index, of which no more than `MAX_ENTRIES` is kept."""
        return cls(
            title,
            description,
            servers or [],
            operations[:MAX_ENTRIES],
            schemas[:MAX_ENTRIES],
            max(len(operations), len(schemas)) > MAX_ENTRIES,
        )


@dataclass
class Part:
    """An operation or a schema; neither if the document has none of that name."""

    operation: Operation | None = None
    rows: list[Row] = field(default_factory=list)
    exists: bool = False
    truncated: bool = False
    sort: str = ""
    """What a schema is, where there are several sorts: `enum`."""
    description: str = ""


class Ids:
    """Parts of addresses, each given once."""

    def __init__(self) -> None:
        self._seen = Counter[str]()

    def make(self, text: str) -> str:
        """`get-orders-id` for `GET /orders/{id}`."""
        name = _NOT_IN_ID.sub("-", text.lower()).strip("-")[:_MAX_ID_CHARACTERS]
        self._seen[name] += 1
        # Two dashes: no other name has them.
        return f"{name}--{self._seen[name]}" if self._seen[name] > 1 else name


def line(value: Any) -> str:
    """A title as a page shows it."""
    return clean_line(_text(value))


def html(value: Any) -> str:
    """A description in Markdown as safe HTML."""
    return render_description(_text(value))


def first_sentence(value: Any) -> str:
    """What an index shows of a description that has no summary."""
    return line(_text(value).strip().partition("\n\n")[0].replace("\n", " ").partition(". ")[0])


def mapping(value: Any) -> Mapping[str, Any]:
    """The value, or nothing if it is something else."""
    return value if isinstance(value, Mapping) else {}


def items(value: Any) -> list[Any]:
    """The value, or nothing if it is no list."""
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return "" if value is None else shorten(str(value), _MAX_TEXT_CHARACTERS)
