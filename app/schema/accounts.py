"""Tables of people, teams, API keys and what was done."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, INET, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from app.models.access import Role, TeamRole
from app.models.audit import ActorKind
from app.schema.base import Base, Identified, one_of


class Team(Identified, Base):
    """A group of people that owns entities."""

    __tablename__ = "team"
    name: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")


class User(Identified, Base):
    """Someone with an account; the address is kept in lower case."""

    __tablename__ = "user_account"
    __table_args__ = (
        CheckConstraint(one_of("role", Role), name="role"),
        Index("uq_user_account_handle", "handle", unique=True),
    )
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(server_default="")
    # The name in Backstage's catalogue, in lower case; with its namespace unless that is `default`.
    handle: Mapped[str | None]
    # None until the first password is chosen.
    password_hash: Mapped[str | None]
    role: Mapped[str] = mapped_column(server_default="member")
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    must_change_password: Mapped[bool] = mapped_column(server_default=text("false"))
    password_changed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    # Sessions carry the number they began under: counting up ends all of them.
    session_epoch: Mapped[int] = mapped_column(server_default=text("1"))


class Membership(Base):
    """Who belongs to which team, and who decides for it."""

    __tablename__ = "membership"
    __table_args__ = (CheckConstraint(one_of("role", TeamRole), name="role"),)
    team_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("team.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    role: Mapped[str] = mapped_column(server_default="member")
    # By a group of the sign-in provider's, and only as long as somebody is in it.
    from_provider: Mapped[bool] = mapped_column(server_default=text("false"))


class ProviderIdentity(Base):
    """Whose account it is, as a sign-in provider knows them: by issuer and subject, for good."""

    __tablename__ = "provider_identity"
    __table_args__ = (UniqueConstraint("user_id", "issuer"),)
    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PasswordLink(Base):
    """The one link by which the account's owner chooses a password; only its hash is kept."""

    __tablename__ = "password_link"
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True
    )
    token_sha256: Mapped[bytes] = mapped_column(unique=True)
    expires_at: Mapped[datetime]


class ApiKey(Identified, Base):
    """A key for programs; the key itself is shown once, only its hash stays."""

    __tablename__ = "api_key"
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str]
    prefix: Mapped[str] = mapped_column(unique=True)
    key_sha256: Mapped[bytes]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class AuditEvent(Base):
    """Who did what to what, from where; the database refuses to change or delete a row."""

    __tablename__ = "audit_event"
    __table_args__ = (
        CheckConstraint(one_of("actor_kind", ActorKind), name="actor_kind"),
        Index("ix_audit_event_target", "target", "id"),
        Index("ix_audit_event_actor_id", "actor_id", "id"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    # No foreign key: an event outlives the account.
    actor_id: Mapped[uuid.UUID | None]
    actor: Mapped[str]
    actor_kind: Mapped[str]
    action: Mapped[str]
    target: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    address: Mapped[str | None] = mapped_column(INET)
    request_id: Mapped[str] = mapped_column(server_default="")
