"""The audit trail: an event is added in the transaction of the change that it records."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models.access import Actor
from app.models.audit import AuditEventOut, AuditFilter
from app.request_context import client_address, request_id
from app.schema import AuditEvent

_COLUMNS = [
    func.host(AuditEvent.address).label(name) if name == "address" else getattr(AuditEvent, name)
    for name in AuditEventOut.model_fields
]

_ADD = text(
    """
    INSERT INTO audit_event
        (actor_id, actor, actor_kind, action, target, detail, address, request_id)
    SELECT CAST(:actor_id AS uuid), :actor, :actor_kind, action, target, detail,
        CAST(:address AS inet), :request_id
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS event(action text, target text, detail jsonb)
    """
)


class Event(NamedTuple):
    """What was done to what, as `add_event` has it."""

    action: str
    target: str
    detail: Mapping[str, Any]


async def add_event(
    connection: AsyncConnection,
    actor: Actor | None,
    action: str,
    target: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Record an action of `actor`, or of someone who is not signed in.

    Parameters
    ----------
    action
        A verb and its object: `entity.update`, `session.create`, `login.fail`.
    target
        What it is done to: `api:default/checkout-api`, `user:ada@example.com`.
    detail
        The change; never a secret.
    """
    await add_events(connection, actor, [Event(action, target, detail or {})])


async def add_events(
    connection: AsyncConnection, actor: Actor | None, events: Iterable[Event]
) -> None:
    """Record several actions, in one statement."""
    shared = {
        **_describe(actor),
        "address": client_address.get() or None,
        "request_id": request_id.get(),
    }
    if rows := [event._asdict() for event in events]:
        await connection.execute(_ADD, {**shared, "rows": json.dumps(rows, default=str)})


async def list_events(
    connection: AsyncConnection, wanted: AuditFilter, *, before: int | None, limit: int
) -> list[AuditEventOut]:
    """Events older than an id, newest first."""
    query = select(*_COLUMNS).order_by(AuditEvent.id.desc()).limit(limit)
    conditions = _conditions(wanted)
    if before is not None:
        conditions.append(AuditEvent.id < before)
    rows = await connection.execute(query.where(*conditions))
    return [AuditEventOut.model_validate(row) for row in rows]


def _conditions(wanted: AuditFilter) -> list[Any]:
    equal = {
        AuditEvent.actor: wanted.actor,
        AuditEvent.target: wanted.target,
        AuditEvent.request_id: wanted.request_id,
    }
    conditions: list[Any] = [column == value for column, value in equal.items() if value]
    if wanted.action:
        conditions.append(AuditEvent.action.startswith(wanted.action, autoescape=True))
    if wanted.since:
        conditions.append(AuditEvent.at >= wanted.since)
    if wanted.until:
        conditions.append(AuditEvent.at < wanted.until)
    return conditions


def _describe(actor: Actor | None) -> dict[str, Any]:
    if actor is None:
        return {"actor_id": None, "actor": "anonymous", "actor_kind": "anonymous"}
    kind = "session" if actor.scopes is None else "api_key"
    return {"actor_id": actor.user_id, "actor": actor.email, "actor_kind": kind}
