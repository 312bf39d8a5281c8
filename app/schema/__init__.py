"""Tables; constraints live in the database, not in the code."""

from app.schema.accounts import ApiKey, AuditEvent, Membership, Team, User
from app.schema.base import Base
from app.schema.catalogue import ApiContent, ApiDocument, Entity, Page, Relation

__all__ = [
    "ApiContent",
    "ApiDocument",
    "ApiKey",
    "AuditEvent",
    "Base",
    "Entity",
    "Membership",
    "Page",
    "Relation",
    "Team",
    "User",
]
