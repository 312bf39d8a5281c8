"""What a search looks through instead of a whole document."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from app.openapi.operations import operations

MAX_SUMMARY_CHARACTERS = 200_000
"""Keeps the document's search vector below PostgreSQL's limit of 1 MB."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS = re.compile(r"[/{}._-]+")


def summarise(document: dict[str, Any]) -> str:
    """Titles, paths, operations and names of schemas as words; no word twice in a line."""
    return join_parts(_parts(document))


def join_parts(parts: Iterable[str]) -> str:
    """As many of the parts as a search takes, a line for each."""
    kept: list[str] = []
    length = 0
    for part in parts:
        length += len(part) + 1
        if length > MAX_SUMMARY_CHARACTERS:
            break
        kept.append(part)
    return "\n".join(kept)


def _parts(document: dict[str, Any]) -> Iterator[str]:
    info = document.get("info", {})
    yield str(info.get("description", ""))[:10_000]
    for tag in document.get("tags", []):
        yield f"{tag.get('name', '')} {str(tag.get('description', ''))[:500]}"
    for operation in operations(document):
        node = operation.node
        yield f"{operation.method.upper()} {operation.path}"
        name = operation.name or ""
        named = [words(operation.path), name, words(name)]
        yield " ".join((*named, str(node.get("summary", ""))[:500]))
        yield str(node.get("description", ""))[:500]
    yield " ".join(words(name) for name in document.get("components", {}).get("schemas", {}))


def words(name: str) -> str:
    """The words that a path or a name in camel case is made of."""
    return _CAMEL.sub(" ", _SEPARATORS.sub(" ", name)).strip()
