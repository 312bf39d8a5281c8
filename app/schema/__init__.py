"""Tables; constraints live in the database, not in the code."""

from app.schema.accounts import (
    ApiKey,
    AuditEvent,
    Membership,
    PasswordLink,
    ProviderIdentity,
    Team,
    User,
)
from app.schema.base import Base
from app.schema.catalogue import ApiContent, ApiDocument, Entity, NamedRelation, Page, Relation
from app.schema.webhooks import Webhook, WebhookDelivery

__all__ = [
    "ApiContent",
    "ApiDocument",
    "ApiKey",
    "AuditEvent",
    "Base",
    "Entity",
    "Membership",
    "NamedRelation",
    "Page",
    "PasswordLink",
    "ProviderIdentity",
    "Relation",
    "Team",
    "User",
    "Webhook",
    "WebhookDelivery",
]
