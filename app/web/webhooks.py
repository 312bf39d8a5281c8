"""Webhooks: the addresses that are notified of breaking changes, and how it goes."""

import uuid

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from pydantic import ValidationError

from app.exceptions import PortalError
from app.http.access import Access, ActorDep, access
from app.http.dependencies import WebhooksDep
from app.models.webhooks import WebhookCreated, WebhookIn
from app.web.forms import Form
from app.web.views import View, ViewDep

router = APIRouter(prefix="/admin/webhooks", include_in_schema=False)


@router.get("", **access(Access.ADMIN))
async def show_webhooks(view: ViewDep, webhooks: WebhooksDep) -> HTMLResponse:
    """All of them, and the form for another."""
    return await _render(view, webhooks, Form())


@router.post("", **access(Access.ADMIN))
async def create_webhook(view: ViewDep, actor: ActorDep, webhooks: WebhooksDep) -> HTMLResponse:
    """Register an address and show its secret in the response itself."""
    form = await Form.read(view.request)
    try:
        created = await webhooks.create(actor, WebhookIn(url=form.text("url")))
    except (PortalError, ValidationError) as error:
        return await _render(view, webhooks, form.refused(error))
    return await _render(view, webhooks, Form(), created)


@router.post("/{webhook_id}/retry", **access(Access.ADMIN))
async def retry_webhook(
    view: ViewDep, actor: ActorDep, webhooks: WebhooksDep, webhook_id: uuid.UUID
) -> Response:
    """Send what waits."""
    try:
        await webhooks.retry(actor, webhook_id)
    except PortalError as error:
        return await _render(view, webhooks, Form().refused(error))
    return view.redirect("/admin/webhooks", notice="webhook-retried")


@router.post("/{webhook_id}/delete", **access(Access.ADMIN))
async def delete_webhook(
    view: ViewDep, actor: ActorDep, webhooks: WebhooksDep, webhook_id: uuid.UUID
) -> Response:
    """Tell an address nothing any more."""
    await webhooks.delete(actor, webhook_id)
    return view.redirect("/admin/webhooks", notice="webhook-deleted")


async def _render(
    view: View, webhooks: WebhooksDep, form: Form, created: WebhookCreated | None = None
) -> HTMLResponse:
    found = await webhooks.list()
    return view.render(
        "admin/webhooks.html",
        form=form,
        webhooks=found.items,
        messages=found.messages,
        created=created,
        is_enabled=webhooks.is_enabled,
    )
