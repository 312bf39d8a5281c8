"""Pages of documentation."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from app.constants import MAX_PAGE_CHARACTERS
from app.models.texts import Title

Slug = Annotated[
    str, StringConstraints(min_length=1, max_length=63, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
]


class PageChange(BaseModel):
    """A page as its author writes it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"title": "Runbook", "markdown": "# Runbook\n\nFirst look at the queue."}]
        },
    )

    title: Title
    markdown: Annotated[
        str, StringConstraints(max_length=MAX_PAGE_CHARACTERS, pattern=r"^[^\x00]*$")
    ]


class PageHead(BaseModel):
    """A page in a list."""

    model_config = ConfigDict(from_attributes=True)

    slug: str
    title: str
    version: int
    updated_at: datetime


class PageOut(PageHead):
    """A page as written, and as safe HTML."""

    markdown: str
    html: str


class PageList(BaseModel):
    """An entity's pages, by title."""

    items: list[PageHead]
