"""Addresses: which ones a page may lead to."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode, urlsplit

from app.models.search import SearchHit


def own_path(value: str | None, *, default: str = "/") -> str:
    """`value` if it is a path of this portal, else the default.

    Browsers read a backslash as a slash and skip control characters, so neither is let through.
    """
    if not value or not value.startswith("/") or value.startswith("//"):
        return default
    if "\\" in value or not value.isprintable():
        return default
    return value


def is_web_url(value: str) -> bool:
    """Whether a page may link to it: no `javascript:`, no `data:`."""
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and value.isprintable()


def with_query(path: str, values: Mapping[str, str | None], **changes: str | None) -> str:
    """The path with what is not empty as its query; `changes` are laid over the values."""
    query = urlencode({name: value for name, value in {**values, **changes}.items() if value})
    return f"{path}?{query}" if query else path


def next_page(path: str, values: Mapping[str, str | None], cursor: str | None) -> str:
    """Where a list goes on; empty at its end."""
    return with_query(path, values, cursor=cursor) if cursor else ""


def entity_path(kind: str, namespace: str, name: str, *more: str) -> str:
    """Where an entity is shown, or something that belongs to it."""
    parts = "/".join(quote(part, safe="") for part in (kind, namespace, name, *more))
    return f"/entities/{parts}"


def hit_path(hit: SearchHit, question: str = "") -> str:
    """Where what a search has found is shown; of a document, the operations with those words."""
    folder = {"api_document": "api", "page": "pages"}.get(hit.type)
    more = (folder, hit.part or "") if folder else ()
    path = entity_path(hit.kind, hit.namespace, hit.name, *more)
    return with_query(path, {"q": question}) if folder == "api" else path
