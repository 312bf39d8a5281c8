"""The audit trail: events are added in the transaction of what they tell of."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.access import Actor
from app.logs import client_address, request_id
from app.schema import AuditEvent


async def add_event(
    connection: AsyncConnection,
    *,
    actor: Actor | None,
    action: str,
    target: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Record what `actor` does, or someone who is not signed in.

    Parameters
    ----------
    action
        A verb and its object: `entity.update`, `session.create`, `login.fail`.
    target
        What it is done to: `api:default/checkout-api`, `user:ada@example.com`.
    detail
        What changed; never a secret.
    """
    event = {
        **_describe(actor),
        "action": action,
        "target": target,
        "detail": dict(detail or {}),
        "address": client_address.get() or None,
        "request_id": request_id.get(),
    }
    await connection.execute(insert(AuditEvent).values(event))


def _describe(actor: Actor | None) -> dict[str, Any]:
    if actor is None:
        return {"actor": "anonymous", "actor_kind": "anonymous"}
    kind = "session" if actor.scopes is None else "api_key"
    return {"actor_id": actor.user_id, "actor": actor.email, "actor_kind": kind}
