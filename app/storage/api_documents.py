"""API documents in PostgreSQL: versions, and the contents that they share."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import NamedTuple

from sqlalchemy import delete, func, or_, select, union
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.definitions.kinds import ApiKind
from app.models.api_documents import VersionOut
from app.schema import ApiContent, ApiDocument, WebhookDelivery

_VERSION = (
    ApiDocument.version,
    ApiContent.title,
    ApiContent.api_kind.label("kind"),
    ApiContent.openapi,
    func.encode(ApiDocument.sha256, "hex").label("sha256"),
    ApiContent.size_bytes,
    ApiDocument.created_at,
)


class Content(NamedTuple):
    """A document that was checked."""

    sha256: bytes
    api_kind: ApiKind
    document: str
    original: str | None
    openapi: str
    title: str
    size_bytes: int
    summary: str


async def list_versions(connection: AsyncConnection, entity_id: uuid.UUID) -> list[VersionOut]:
    """An entity's versions, in no order."""
    statement = select(*_VERSION).join(ApiContent, ApiContent.sha256 == ApiDocument.sha256)
    statement = statement.where(ApiDocument.entity_id == entity_id)
    return [VersionOut.model_validate(row) for row in await connection.execute(statement)]


async def get_head(
    connection: AsyncConnection, entity_id: uuid.UUID, version: str
) -> VersionOut | None:
    """The version without its document, if there is one."""
    statement = select(*_VERSION).join(ApiContent, ApiContent.sha256 == ApiDocument.sha256)
    statement = statement.where(ApiDocument.entity_id == entity_id, ApiDocument.version == version)
    row = (await connection.execute(statement)).one_or_none()
    return VersionOut.model_validate(row) if row else None


async def get_document(
    connection: AsyncConnection, sha256: bytes, *, original: bool = False
) -> str | None:
    """A document, if a version has it; the original is what it was converted from."""
    found = func.coalesce(ApiContent.original, ApiContent.document)
    column = found if original else ApiContent.document
    return await connection.scalar(select(column).where(ApiContent.sha256 == sha256))


async def put_versions(
    connection: AsyncConnection, contents: Mapping[tuple[uuid.UUID, str], Content]
) -> None:
    """Make these versions, by entity and name, the documents; each document is stored once."""
    if not contents:
        return
    adding = insert(ApiContent)
    # An update of nothing holds the row against a removal of unused contents.
    kept = adding.on_conflict_do_update(
        index_elements=[ApiContent.sha256], set_={"title": adding.excluded.title}
    )
    documents = {content.sha256: content._asdict() for content in contents.values()}
    await connection.execute(kept.returning(ApiContent.sha256), [*documents.values()])
    putting = insert(ApiDocument)
    put = putting.on_conflict_do_update(
        index_elements=[ApiDocument.entity_id, ApiDocument.version],
        set_={"sha256": putting.excluded.sha256, "created_at": func.now()},
    )
    rows = [
        {"entity_id": entity_id, "version": version, "sha256": content.sha256}
        for (entity_id, version), content in contents.items()
    ]
    await connection.execute(put.returning(ApiDocument.id), rows)


async def list_hashes(
    connection: AsyncConnection, entity_ids: Collection[uuid.UUID], kind: ApiKind | None = None
) -> dict[uuid.UUID, dict[str, bytes]]:
    """What each version of these entities is; with a kind, each that is of it."""
    columns = (ApiDocument.entity_id, ApiDocument.version, ApiDocument.sha256)
    query = select(*columns).where(ApiDocument.entity_id.in_(entity_ids))
    if kind is not None:
        is_content = ApiContent.sha256 == ApiDocument.sha256
        query = query.join(ApiContent, is_content).where(ApiContent.api_kind == kind)
    found: dict[uuid.UUID, dict[str, bytes]] = defaultdict(dict)
    for row in await connection.execute(query):
        found[row.entity_id][row.version] = row.sha256
    return found


async def delete_version(connection: AsyncConnection, entity_id: uuid.UUID, version: str) -> None:
    """Remove a version."""
    gone = delete(ApiDocument).where(
        ApiDocument.entity_id == entity_id, ApiDocument.version == version
    )
    await connection.execute(gone)


async def list_contents(connection: AsyncConnection, entity_id: uuid.UUID) -> list[bytes]:
    """The contents that an entity's versions use, and what is still to be compared of it."""
    statements = (
        select(ApiDocument.sha256).where(ApiDocument.entity_id == entity_id),
        *(
            select(column).where(WebhookDelivery.entity_id == entity_id, column.is_not(None))
            for column in (WebhookDelivery.old_sha256, WebhookDelivery.new_sha256)
        ),
    )
    return [sha256 for sha256 in await connection.scalars(union(*statements)) if sha256]


async def delete_unused_contents(connection: AsyncConnection, contents: Collection[bytes]) -> None:
    """Remove those of the contents that no version uses any more."""
    if not contents:
        return
    # The lock waits for transactions that are about to use one; only the next statement sees it.
    held = select(ApiContent.sha256).where(ApiContent.sha256.in_(contents))
    await connection.execute(held.order_by(ApiContent.sha256).with_for_update())
    used = select(ApiDocument.id).where(ApiDocument.sha256 == ApiContent.sha256).exists()
    to_compare = or_(
        WebhookDelivery.old_sha256 == ApiContent.sha256,
        WebhookDelivery.new_sha256 == ApiContent.sha256,
    )
    waiting = select(WebhookDelivery.id).where(to_compare).exists()
    gone = delete(ApiContent).where(ApiContent.sha256.in_(contents), ~used, ~waiting)
    await connection.execute(gone)
