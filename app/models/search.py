"""What a search finds."""

from typing import Literal

from pydantic import BaseModel

from app.models.texts import Kind


class SearchHit(BaseModel):
    """An entity, or a document or page of one, that fits."""

    type: Literal["entity", "api_document", "page"]
    kind: Kind
    namespace: str
    name: str
    entity_title: str
    part: str | None = None
    """Version of the document, or slug of the page."""
    title: str
    highlight: str
    """An excerpt as safe HTML, with what fits in `<mark>`."""


class SearchPage(BaseModel):
    """Hits, the best first."""

    items: list[SearchHit]
    next_cursor: str | None = None
