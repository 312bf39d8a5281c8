"""Tables of webhooks, and of what is still to be sent to them."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import BigInteger

from app.schema.base import Base, Identified


class Webhook(Identified, Base):
    """An address that is notified of breaking changes; its secret is derived from the id."""

    __tablename__ = "webhook"
    url: Mapped[str] = mapped_column(unique=True)
    last_delivered_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(server_default="")


class WebhookDelivery(Identified, Base):
    """An upload of which a webhook may have to be notified; the row goes when that is done.

    The two documents are kept for as long as the row has no `body`: until they were compared.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (Index("ix_webhook_delivery_next_at", "next_at"),)
    webhook_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("webhook.id", ondelete="CASCADE"), index=True
    )
    entity_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("entity.id", ondelete="CASCADE"), index=True
    )
    older: Mapped[str]
    newer: Mapped[str]
    old_sha256: Mapped[bytes | None] = mapped_column(index=True)
    new_sha256: Mapped[bytes | None] = mapped_column(index=True)
    body: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    next_at: Mapped[datetime] = mapped_column(server_default=func.now())
