"""The catalogue's tables; constraints live in the database, not in the code."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, MetaData, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import DateTime, Text, Uuid

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
KINDS = ("component", "api", "resource", "system")
ROLES = ("admin", "member", "viewer")


class Base(DeclarativeBase):
    """Common metadata: every constraint has a name that a later migration can use."""

    metadata = MetaData(naming_convention=_NAMES)


def _one_of(column: str, values: tuple[str, ...]) -> str:
    quoted = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({quoted})"


class _Identified:
    id: Mapped[uuid.UUID] = mapped_column(
        Uuid, primary_key=True, server_default=text("gen_random_uuid()")
    )
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Team(_Identified, Base):
    """A group of people that owns entities."""

    __tablename__ = "team"
    name: Mapped[str] = mapped_column(Text, unique=True)
    title: Mapped[str] = mapped_column(Text)


class User(_Identified, Base):
    """Someone with an account."""

    __tablename__ = "user_account"
    __table_args__ = (CheckConstraint(_one_of("role", ROLES), name="role"),)
    email: Mapped[str] = mapped_column(Text, unique=True)
    password_hash: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text, server_default="member")


class Membership(Base):
    """Who belongs to which team."""

    __tablename__ = "membership"
    team_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("team.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Entity(_Identified, Base):
    """Something the organisation runs or offers."""

    __tablename__ = "entity"
    __table_args__ = (
        CheckConstraint(_one_of("kind", KINDS), name="kind"),
        UniqueConstraint("kind", "namespace", "name"),
        Index("ix_entity_tags", "tags", postgresql_using="gin"),
    )
    kind: Mapped[str] = mapped_column(Text)
    namespace: Mapped[str] = mapped_column(Text, server_default="default")
    name: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, server_default="")
    lifecycle: Mapped[str] = mapped_column(Text, server_default="production")
    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("team.id"), index=True)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    spec: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
