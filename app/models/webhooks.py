"""Webhooks: addresses that are notified of breaking changes."""

import uuid
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints


def _check_url(value: str) -> str:
    parts = urlsplit(value)
    if not parts.hostname or parts.username is not None or parts.port == 0:
        raise ValueError("should be an address such as https://ci.example.com/hook")
    return value


WebhookUrl = Annotated[
    str,
    StringConstraints(max_length=500, pattern=r"^https?://[!-~]+$"),
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


class WebhookList(BaseModel):
    """All webhooks, by address."""

    items: list[WebhookOut]
