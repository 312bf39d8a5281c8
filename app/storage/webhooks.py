"""Webhooks in PostgreSQL, and the outbox that is worked by whichever replica comes first."""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models.version_order import predecessor
from app.models.webhooks import WaitingMessage, WebhookOut
from app.schema import Entity, Team, Webhook, WebhookDelivery
from app.storage.api_documents import Content, delete_unused_contents, list_hashes

_LEASE = timedelta(minutes=2)
"""A replica that claims a delivery and is then killed leaves it to others after so long."""


class Delivery(NamedTuple):
    """What is to be sent, and to whom."""

    id: uuid.UUID
    webhook_id: uuid.UUID
    url: str
    kind: str
    namespace: str
    name: str
    owner: str
    older: str
    newer: str
    old_sha256: bytes | None
    new_sha256: bytes | None
    body: str | None
    attempts: int
    created_at: Any


async def add_webhook(connection: AsyncConnection, url: str) -> uuid.UUID | None:
    """The new webhook's id; None if there is one of that address."""
    added = insert(Webhook).values(url=url).on_conflict_do_nothing().returning(Webhook.id)
    return await connection.scalar(added)


async def list_webhooks(connection: AsyncConnection) -> list[WebhookOut]:
    """All of them, by address."""
    waiting = (
        select(func.count())
        .select_from(WebhookDelivery)
        .where(WebhookDelivery.webhook_id == Webhook.id)
        .scalar_subquery()
        .label("waiting")
    )
    columns = (Webhook.id, Webhook.url, Webhook.created_at)
    state = (Webhook.last_delivered_at, Webhook.last_error, waiting)
    rows = await connection.execute(select(*columns, *state).order_by(Webhook.url))
    return [WebhookOut.model_validate(row) for row in rows]


async def list_messages(connection: AsyncConnection, limit: int) -> list[WaitingMessage]:
    """The next ones that are to be sent."""
    own = WebhookDelivery
    query = (
        select(
            *(Webhook.url, Entity.kind, Entity.namespace, Entity.name),
            *(own.older.label("from_version"), own.newer.label("to_version")),
            *(own.attempts, own.next_at),
        )
        .join(Webhook, Webhook.id == own.webhook_id)
        .join(Entity, Entity.id == own.entity_id)
        .order_by(own.next_at, own.id)
        .limit(limit)
    )
    return [WaitingMessage.model_validate(row) for row in await connection.execute(query)]


async def hasten(connection: AsyncConnection, webhook_id: uuid.UUID) -> str | None:
    """Let everything that waits for a webhook be due; its address, or None if there is none.

    Asking for an attempt takes none away from those to come.
    """
    now = update(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook_id)
    await connection.execute(now.values(next_at=func.now(), attempts=0))
    return await connection.scalar(select(Webhook.url).where(Webhook.id == webhook_id))


async def delete_webhook(connection: AsyncConnection, webhook_id: uuid.UUID) -> str | None:
    """Remove a webhook with what it was to be sent; its address, or None if there is none."""
    held = select(WebhookDelivery.old_sha256, WebhookDelivery.new_sha256)
    rows = await connection.execute(held.where(WebhookDelivery.webhook_id == webhook_id))
    contents = {sha256 for row in rows for sha256 in row if sha256}
    gone = delete(Webhook).where(Webhook.id == webhook_id).returning(Webhook.url)
    url = await connection.scalar(gone)
    await delete_unused_contents(connection, contents)
    return url


async def announce(
    connection: AsyncConnection, uploads: Mapping[tuple[uuid.UUID, str], Content]
) -> None:
    """Note for each webhook what is about to be uploaded, in the transaction that does it.

    Each document of OpenAPI is compared with the one that it replaces, or with the version before.
    """
    compared = {key: one.sha256 for key, one in uploads.items() if one.api_kind == "openapi"}
    webhooks = list(await connection.scalars(select(Webhook.id)))
    if not webhooks or not compared:
        return
    before = await list_hashes(connection, {entity_id for entity_id, _ in compared}, "openapi")
    rows = [
        {
            "entity_id": entity_id,
            "older": older,
            "newer": version,
            "old_sha256": before[entity_id][older],
            "new_sha256": sha256,
        }
        for (entity_id, version), sha256 in compared.items()
        if (older := predecessor(version, before.get(entity_id, ())))
    ]
    if rows:
        values = [{**row, "webhook_id": webhook} for row in rows for webhook in webhooks]
        await connection.execute(insert(WebhookDelivery), values)


async def claim(connection: AsyncConnection) -> Delivery | None:
    """One that is due, which no other replica takes until the lease ends."""
    due = (
        select(WebhookDelivery.id)
        .where(WebhookDelivery.next_at <= func.now())
        .order_by(WebhookDelivery.next_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    claimed = await connection.scalar(
        update(WebhookDelivery)
        .where(WebhookDelivery.id == due.scalar_subquery())
        .values(next_at=func.now() + _LEASE)
        .returning(WebhookDelivery.id)
    )
    if claimed is None:
        return None
    own = WebhookDelivery
    query = (
        select(
            *(own.id, own.webhook_id, Webhook.url, Entity.kind, Entity.namespace, Entity.name),
            *(Team.name.label("owner"), own.older, own.newer, own.old_sha256, own.new_sha256),
            *(own.body, own.attempts, own.created_at),
        )
        .join(Webhook, Webhook.id == own.webhook_id)
        .join(Entity, Entity.id == own.entity_id)
        .join(Team, Team.id == Entity.owner_id)
        .where(own.id == claimed)
    )
    return Delivery(*(await connection.execute(query)).one())


async def keep_body(connection: AsyncConnection, delivery: Delivery, body: str) -> None:
    """What is to be sent; the documents are not needed for it any more."""
    written = update(WebhookDelivery).where(WebhookDelivery.id == delivery.id)
    await connection.execute(written.values(body=body, old_sha256=None, new_sha256=None))
    await _release(connection, delivery)


async def finish(connection: AsyncConnection, delivery: Delivery, *, sent: bool) -> None:
    """Remove it: it was sent, or there is nothing to be told."""
    await connection.execute(delete(WebhookDelivery).where(WebhookDelivery.id == delivery.id))
    await _release(connection, delivery)
    if sent:
        done = update(Webhook).where(Webhook.id == delivery.webhook_id)
        await connection.execute(done.values(last_delivered_at=func.now(), last_error=""))


async def put_off(
    connection: AsyncConnection, delivery: Delivery, error: str, wait: timedelta | None
) -> None:
    """Note why it failed, and try again after a while; without `wait` give it up."""
    failed = update(Webhook).where(Webhook.id == delivery.webhook_id)
    await connection.execute(failed.values(last_error=error))
    if wait is None:
        await finish(connection, delivery, sent=False)
        return
    later = update(WebhookDelivery).where(WebhookDelivery.id == delivery.id)
    # Only here: a portal that was busy or has ended is no fault of the receiver's.
    tried = delivery.attempts + 1
    await connection.execute(later.values(next_at=func.now() + wait, attempts=tried))


async def _release(connection: AsyncConnection, delivery: Delivery) -> None:
    held = {sha256 for sha256 in (delivery.old_sha256, delivery.new_sha256) if sha256}
    await delete_unused_contents(connection, held)
