"""The audit trail as administrators see it."""

import re
import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from app.lines import LINE

ActorKind = Literal["session", "api_key", "system", "anonymous"]
AuditFormat = Literal["json", "ndjson", "csv"]


def _check_time(value: object) -> object:
    """Refuse numbers, which would be taken for seconds of some epoch."""
    if isinstance(value, str) and not _TIME.match(value):
        raise ValueError("should be a time like 2026-11-25T09:30:00Z")
    return value


_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]")
_Time = Annotated[AwareDatetime, BeforeValidator(_check_time)]
_Text = Annotated[str, StringConstraints(max_length=400, pattern=LINE)]


class AuditFilter(BaseModel):
    """A filter of events; every condition that is set must hold."""

    actor: _Text | None = None
    """An address."""
    action: _Text | None = None
    """An action, or the beginning of some: `entity` also finds `entity.update`."""
    target: _Text | None = None
    request_id: _Text | None = None
    since: _Time | None = None
    until: _Time | None = None
    """Before this time."""


class AuditEventOut(BaseModel):
    """Who did what to what, when, from where and in which request."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    at: datetime
    actor_id: uuid.UUID | None
    actor: str
    actor_kind: ActorKind
    action: str
    target: str
    detail: dict[str, Any]
    address: str | None
    request_id: str


class AuditPage(BaseModel):
    """Events, newest first."""

    items: list[AuditEventOut]
    next_cursor: Annotated[str | None, Field()] = None
    """Send it as `cursor` to get the next page; null on the last page."""
