"""API documents in PostgreSQL: versions, and the contents that they share."""

import uuid
from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models.api_documents import VersionOut
from app.schema import ApiContent, ApiDocument

_VERSION = (
    ApiDocument.version,
    ApiContent.title,
    ApiContent.openapi,
    func.encode(ApiDocument.sha256, "hex").label("sha256"),
    ApiContent.size_bytes,
    ApiDocument.created_at,
)


class Content(NamedTuple):
    """A document that was checked."""

    sha256: bytes
    document: str
    openapi: str
    title: str
    size_bytes: int
    summary: str


async def list_versions(connection: AsyncConnection, entity_id: uuid.UUID) -> list[VersionOut]:
    """An entity's versions, the newest upload first."""
    statement = select(*_VERSION).join(ApiContent, ApiContent.sha256 == ApiDocument.sha256)
    statement = statement.where(ApiDocument.entity_id == entity_id)
    statement = statement.order_by(ApiDocument.created_at.desc(), ApiDocument.version.desc())
    return [VersionOut.model_validate(row) for row in await connection.execute(statement)]


async def get_head(
    connection: AsyncConnection, entity_id: uuid.UUID, version: str
) -> VersionOut | None:
    """The version without its document, if there is one."""
    statement = select(*_VERSION).join(ApiContent, ApiContent.sha256 == ApiDocument.sha256)
    statement = statement.where(ApiDocument.entity_id == entity_id, ApiDocument.version == version)
    row = (await connection.execute(statement)).one_or_none()
    return VersionOut.model_validate(row) if row else None


async def get_document(connection: AsyncConnection, sha256: bytes) -> str | None:
    """A document as JSON, if a version has it."""
    return await connection.scalar(select(ApiContent.document).where(ApiContent.sha256 == sha256))


async def put_version(
    connection: AsyncConnection, entity_id: uuid.UUID, version: str, content: Content
) -> None:
    """Make `version` this document; the document itself is stored once."""
    values: dict[str, Any] = content._asdict()
    # An update of nothing holds the row against a removal of unused contents.
    kept = (
        insert(ApiContent)
        .values(values)
        .on_conflict_do_update(index_elements=[ApiContent.sha256], set_={"title": content.title})
    )
    await connection.execute(kept)
    put = insert(ApiDocument).values(entity_id=entity_id, version=version, sha256=content.sha256)
    await connection.execute(
        put.on_conflict_do_update(
            index_elements=[ApiDocument.entity_id, ApiDocument.version],
            set_={"sha256": content.sha256, "created_at": func.now()},
        )
    )


async def delete_version(connection: AsyncConnection, entity_id: uuid.UUID, version: str) -> None:
    """Remove a version."""
    gone = delete(ApiDocument).where(
        ApiDocument.entity_id == entity_id, ApiDocument.version == version
    )
    await connection.execute(gone)


async def list_contents(connection: AsyncConnection, entity_id: uuid.UUID) -> list[bytes]:
    """The contents that an entity's versions use."""
    statement = select(ApiDocument.sha256).where(ApiDocument.entity_id == entity_id).distinct()
    return list(await connection.scalars(statement))


async def delete_unused_contents(connection: AsyncConnection, contents: Collection[bytes]) -> None:
    """Remove those of the contents that no version uses any more."""
    if not contents:
        return
    # The lock waits for transactions that are about to use one; only the next statement sees it.
    held = select(ApiContent.sha256).where(ApiContent.sha256.in_(contents))
    await connection.execute(held.order_by(ApiContent.sha256).with_for_update())
    used = select(ApiDocument.id).where(ApiDocument.sha256 == ApiContent.sha256).exists()
    await connection.execute(delete(ApiContent).where(ApiContent.sha256.in_(contents), ~used))
