"""The audit trail as administrators see it."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from app.models.texts import check_printable

ActorKind = Literal["session", "api_key", "system", "anonymous"]
AuditFormat = Literal["json", "ndjson", "csv"]
_Text = Annotated[str, StringConstraints(max_length=400), AfterValidator(check_printable)]


class AuditFilter(BaseModel):
    """Which events are wanted; all of what is given has to hold."""

    actor: _Text | None = None
    """An address."""
    action: _Text | None = None
    """An action, or the beginning of some: `entity` also finds `entity.update`."""
    target: _Text | None = None
    request_id: _Text | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    """Up to this time, without it."""


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
    """Give it as `cursor` to get the page after this one; null on the last page."""
