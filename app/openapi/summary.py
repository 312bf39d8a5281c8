"""What a search looks through instead of a whole document."""

import re
from collections.abc import Iterator
from typing import Any

from app.openapi.operations import operations

MAX_SUMMARY_CHARACTERS = 200_000
"""Keeps the document's search vector below PostgreSQL's limit of 1 MB."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS = re.compile(r"[/{}._-]+")


def summarise(document: dict[str, Any]) -> str:
    """Titles, paths, operations and names of schemas as words; no word twice in a line."""
    parts: list[str] = []
    length = 0
    for part in _parts(document):
        length += len(part) + 1
        if length > MAX_SUMMARY_CHARACTERS:
            break
        parts.append(part)
    return "\n".join(parts)


def _parts(document: dict[str, Any]) -> Iterator[str]:
    info = document.get("info", {})
    yield str(info.get("description", ""))[:10_000]
    for tag in document.get("tags", []):
        yield f"{tag.get('name', '')} {str(tag.get('description', ''))[:500]}"
    for operation in operations(document):
        node = operation.node
        yield f"{operation.method.upper()} {operation.path}"
        name = operation.name or ""
        words = [_words(operation.path), name, _words(name)]
        yield " ".join((*words, str(node.get("summary", ""))[:500]))
        yield str(node.get("description", ""))[:500]
    yield " ".join(_words(name) for name in document.get("components", {}).get("schemas", {}))


def _words(name: str) -> str:
    return _CAMEL.sub(" ", _SEPARATORS.sub(" ", name)).strip()
