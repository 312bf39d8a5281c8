"""Webhooks: addresses that are notified of breaking changes."""

import re
import uuid
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.models.texts import Kind, Name, Namespace

_PATTERN = r"^https?://[!-~]+$"


def _check_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_named = bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        is_named = False
    if not (is_named and re.fullmatch(_PATTERN, value)):
        raise ValueError("should be an address such as https://ci.example.com/hook")
    return value


WebhookUrl = Annotated[
    str,
    Field(max_length=500, json_schema_extra={"pattern": _PATTERN}),
    AfterValidator(_check_url),
]


class WebhookIn(BaseModel):
    """An address to notify of breaking changes."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"url": "https://ci.example.com/hook"}}
    )

    url: WebhookUrl


class WebhookOut(BaseModel):
    """A webhook, and how it goes."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    url: str
    created_at: datetime
    last_delivered_at: datetime | None
    last_error: str
    """Why the last attempt failed; empty if it did not."""
    waiting: int
    """Messages that are still to be sent."""


class WebhookCreated(BaseModel):
    """A new webhook; its secret is shown once."""

    id: uuid.UUID
    url: str
    secret: str
    """The key of its signatures, as Standard Webhooks writes it: `whsec_` and base64."""


class WaitingMessage(BaseModel):
    """An upload that a webhook is still to be told of, if it breaks clients."""

    model_config = ConfigDict(from_attributes=True)

    url: str
    kind: Kind
    namespace: Namespace
    name: Name
    from_version: str
    to_version: str
    attempts: int
    next_at: datetime
    """When it is sent at the earliest."""


class WebhookList(BaseModel):
    """All webhooks, by address."""

    items: list[WebhookOut]
    messages: list[WaitingMessage]
    """The next of those that are still to be sent."""
