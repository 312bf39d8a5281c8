"""Webhooks: registering addresses, and notifying them of breaking changes."""

import base64
import hashlib
import hmac
import json
import logging
import time
import uuid
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.config import Config
from app.exceptions import ConflictError, NotFoundError, PortalError, UnavailableError
from app.models.access import Actor
from app.models.webhooks import WebhookCreated, WebhookIn, WebhookList
from app.services.api_documents import ApiDocuments
from app.services.outgoing import Outgoing, OutgoingError
from app.storage import webhooks as storage
from app.storage.audit import add_event
from app.storage.database import Database
from app.storage.webhooks import Delivery

_logger = logging.getLogger(__name__)
_WAITS = tuple(timedelta(seconds=s) for s in (10, 60, 300, 1800, 7200, 21600, 43200))
"""Between attempts: a receiver may be away for most of a day."""
_SHOWN_CHANGES, _SHOWN_MESSAGES = 20, 50
MAX_WEBHOOKS = 50


class Webhooks:
    """The outbox is a table: what was noted with an upload is sent, whichever replica ends."""

    def __init__(self, config: Config, database: Database, documents: ApiDocuments) -> None:
        self._key = config.secret_key.get_secret_value().encode()
        self.is_enabled = config.webhooks_enabled
        self._database = database
        self._documents = documents
        self._outgoing = Outgoing(config.webhooks_allowed_networks)

    async def list(self) -> WebhookList:
        """All webhooks, with how it goes."""
        async with self._database.connect() as connection:
            return WebhookList(
                items=await storage.list_webhooks(connection),
                messages=await storage.list_messages(connection, _SHOWN_MESSAGES),
            )

    async def create(self, actor: Actor, wanted: WebhookIn) -> WebhookCreated:
        """Register an address.

        Raises
        ------
        ConflictError
            Raised for an address that is registered, and while webhooks are switched off.
        """
        self._need_enabled()
        async with self._database.connect() as connection:
            if len(await storage.list_webhooks(connection)) >= MAX_WEBHOOKS:
                raise ConflictError(f"there can be {MAX_WEBHOOKS} webhooks. Remove one")
            webhook_id = await storage.add_webhook(connection, wanted.url)
            if webhook_id is None:
                raise ConflictError("there is a webhook of this address already")
            await _record(connection, actor, "webhook.create", webhook_id, wanted.url)
        return WebhookCreated(id=webhook_id, url=wanted.url, secret=self._secret(webhook_id))

    async def retry(self, actor: Actor, webhook_id: uuid.UUID) -> None:
        """Send what waits for a webhook without waiting any longer.

        Raises
        ------
        ConflictError
            Raised while webhooks are switched off.
        """
        self._need_enabled()
        async with self._database.connect() as connection:
            url = await storage.hasten(connection, webhook_id)
            await _record(connection, actor, "webhook.retry", webhook_id, url)

    async def delete(self, actor: Actor, webhook_id: uuid.UUID) -> None:
        """Remove a webhook, and what it was to be sent."""
        async with self._database.connect() as connection:
            url = await storage.delete_webhook(connection, webhook_id)
            await _record(connection, actor, "webhook.delete", webhook_id, url)

    def _need_enabled(self) -> None:
        if not self.is_enabled:
            raise ConflictError("webhooks are switched off. Set app.webhooks_enabled")

    async def send_due(self) -> None:
        """Send everything that is due, one after another."""
        while self.is_enabled and await self._send_one():
            continue

    async def _send_one(self) -> bool:
        async with self._database.connect() as connection:
            delivery = await storage.claim(connection)
        if delivery is None:
            return False
        try:
            body = delivery.body or await self._describe(delivery)
            if body:
                await self._post(delivery, body)
            async with self._database.connect() as connection:
                await storage.finish(connection, delivery, sent=bool(body))
        except UnavailableError:
            # Of the portal itself: the lease ends, and somebody tries again.
            return False
        except (OutgoingError, PortalError) as error:
            await self._put_off(delivery, str(error))
        return True

    async def _put_off(self, delivery: Delivery, error: str) -> None:
        wait = _WAITS[delivery.attempts] if delivery.attempts < len(_WAITS) else None
        _logger.warning("webhook %s, attempt %s: %s", delivery.url, delivery.attempts + 1, error)
        async with self._database.connect() as connection:
            await storage.put_off(connection, delivery, error, wait)

    async def _describe(self, delivery: Delivery) -> str:
        """What is to be sent, kept for further attempts; empty if nothing breaks."""
        assert delivery.old_sha256
        assert delivery.new_sha256
        found = await self._documents.compare(delivery.old_sha256, delivery.new_sha256)
        if not found["breaking"]["changes"]:
            return ""
        body = json.dumps(_message(delivery, found), ensure_ascii=False)
        async with self._database.connect() as connection:
            await storage.keep_body(connection, delivery, body)
        return body

    async def _post(self, delivery: Delivery, body: str) -> None:
        message_id, now = str(delivery.id), str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "devportal",
            "webhook-id": message_id,
            "webhook-timestamp": now,
            "webhook-signature": sign(self._secret(delivery.webhook_id), message_id, now, body),
        }
        await self._outgoing.post(delivery.url, body.encode(), headers)

    def _secret(self, webhook_id: uuid.UUID) -> str:
        """Derived from the portal's own key, so that no table and no backup holds it."""
        derived = hmac.digest(self._key, b"webhook:" + webhook_id.bytes, hashlib.sha256)
        return f"whsec_{base64.b64encode(derived).decode()}"


async def _record(
    connection: AsyncConnection, actor: Actor, action: str, webhook_id: uuid.UUID, url: str | None
) -> None:
    if url is None:
        raise NotFoundError("there is no such webhook")
    target = f"webhook:{webhook_id}"
    await add_event(connection, actor, action, target, {"url": url})


def sign(secret: str, message_id: str, timestamp: str, body: str) -> str:
    """The signature as Standard Webhooks has it: HMAC-SHA256 of id, timestamp and body."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.{body}".encode()
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"


def _message(delivery: Delivery, found: dict[str, Any]) -> dict[str, Any]:
    breaking = found["breaking"]
    changes = [
        {"of": group["name"], **{name: change[name] for name in ("rule", "where", "message")}}
        for group in breaking["groups"]
        for change in group["changes"]
    ]
    entity = f"{delivery.kind}/{delivery.namespace}/{delivery.name}"
    return {
        "type": "api.breaking_change",
        "timestamp": delivery.created_at.isoformat(),
        "data": {
            "entity": entity,
            "owner": delivery.owner,
            "from_version": delivery.older,
            "to_version": delivery.newer,
            "breaking": {
                "changes": breaking["changes"],
                "places": breaking["places"],
                "listed": changes[:_SHOWN_CHANGES],
            },
        },
    }
