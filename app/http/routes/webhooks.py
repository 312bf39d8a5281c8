"""Webhooks, for administrators."""

import uuid

from fastapi import APIRouter

from app.http.access import Access, ActorDep, access
from app.http.dependencies import WebhooksDep
from app.models.webhooks import WebhookCreated, WebhookIn, WebhookList

router = APIRouter(prefix="/api/v1/admin/webhooks", tags=["administration"])


@router.get("", **access(Access.ADMIN))
async def list_webhooks(webhooks: WebhooksDep) -> WebhookList:
    """The addresses that are notified of breaking changes, and what is still to be sent."""
    return await webhooks.list()


@router.post("", status_code=201, **access(Access.ADMIN, errors=(409, 422)))
async def create_webhook(
    actor: ActorDep, webhooks: WebhooksDep, wanted: WebhookIn
) -> WebhookCreated:
    """Register an address. Only this response contains the secret of its signatures."""
    return await webhooks.create(actor, wanted)


@router.post("/{webhook_id}/retry", status_code=204, **access(Access.ADMIN, errors=(404, 409, 422)))
async def retry_webhook(actor: ActorDep, webhooks: WebhooksDep, webhook_id: uuid.UUID) -> None:
    """Send what waits for this address now, as after a repair of what receives it."""
    await webhooks.retry(actor, webhook_id)


@router.delete("/{webhook_id}", status_code=204, **access(Access.ADMIN, errors=(404, 422)))
async def delete_webhook(actor: ActorDep, webhooks: WebhooksDep, webhook_id: uuid.UUID) -> None:
    """Tell this address nothing any more."""
    await webhooks.delete(actor, webhook_id)
