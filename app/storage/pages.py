"""Pages of documentation in PostgreSQL."""

import uuid
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models.pages import PageHead, PageOut
from app.schema import Page

_HEAD = (Page.slug, Page.title, Page.version, Page.updated_at)


async def list_pages(connection: AsyncConnection, entity_id: uuid.UUID) -> list[PageHead]:
    """An entity's pages by title."""
    statement = select(*_HEAD).where(Page.entity_id == entity_id).order_by(Page.title, Page.slug)
    return [PageHead.model_validate(row) for row in await connection.execute(statement)]


async def get_page(
    connection: AsyncConnection, entity_id: uuid.UUID, slug: str
) -> tuple[uuid.UUID, PageOut] | None:
    """The page and its id, if there is one."""
    statement = select(Page.id, *_HEAD, Page.markdown, Page.html)
    statement = statement.where(Page.entity_id == entity_id, Page.slug == slug)
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else (row.id, PageOut.model_validate(row))


async def add_page(
    connection: AsyncConnection, entity_id: uuid.UUID, slug: str, values: dict[str, Any]
) -> None:
    """Add a page; the database refuses a second one of that slug."""
    await connection.execute(insert(Page).values(entity_id=entity_id, slug=slug, **values))


async def update_page(
    connection: AsyncConnection, page_id: uuid.UUID, values: dict[str, Any]
) -> None:
    """Replace a page's content and count the change."""
    statement = update(Page).where(Page.id == page_id)
    await connection.execute(
        statement.values(**values, version=Page.version + 1, updated_at=func.now())
    )


async def delete_page(connection: AsyncConnection, page_id: uuid.UUID) -> None:
    """Remove a page."""
    await connection.execute(delete(Page).where(Page.id == page_id))
