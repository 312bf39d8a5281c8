"""Search results."""

from typing import Literal

from pydantic import BaseModel

from app.models.texts import Kind


class SearchHit(BaseModel):
    """A match: an entity, or a document or page of one."""

    type: Literal["entity", "api_document", "page"]
    kind: Kind
    namespace: str
    name: str
    entity_title: str
    part: str | None = None
    """Version of the document, or slug of the page."""
    title: str
    highlight: str
    """An excerpt as safe HTML, with the matches in `<mark>`."""


class SearchCounts(BaseModel):
    """How much there is to find, by kind and by owner, the most first."""

    total: int
    is_complete: bool
    """Whether everything was counted; else there is more."""
    kinds: dict[Kind, int]
    """With the owner that was asked for."""
    owners: dict[str, int]
    """Of the kind that was asked for."""


class SearchPage(BaseModel):
    """Results, best matches first."""

    items: list[SearchHit]
    next_cursor: str | None = None
