"""Catalogue entries as clients see them."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class EntityOut(BaseModel):
    """One entry of the catalogue."""

    model_config = ConfigDict(from_attributes=True)

    kind: str
    namespace: str
    name: str
    title: str
    description: str
    lifecycle: str
    owner: str
    tags: list[str]
    spec: dict[str, Any]


class EntityPage(BaseModel):
    """Entries in order of kind, namespace and name."""

    items: list[EntityOut]
    next_cursor: str | None = None
    """Give it as `cursor` to get the page after this one; null on the last page."""
