"""Tables of the catalogue: entities, how they relate, their interfaces and pages."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from app.definitions.kinds import ApiKind
from app.models.relations import RelationType
from app.models.texts import Kind
from app.schema.base import Base, Identified, one_of


class Entity(Identified, Base):
    """Something the organisation runs or offers; `version` counts its changes."""

    __tablename__ = "entity"
    __table_args__ = (
        CheckConstraint(one_of("kind", Kind), name="kind"),
        UniqueConstraint("kind", "namespace", "name"),
        Index(
            "uq_entity_kind_namespace_lower_name",
            "kind",
            "namespace",
            text("lower(name)"),
            unique=True,
        ),
        Index("ix_entity_tags", "tags", postgresql_using="gin"),
        Index("ix_entity_search", "search", postgresql_using="gin"),
    )
    kind: Mapped[str]
    namespace: Mapped[str] = mapped_column(server_default="default")
    name: Mapped[str]
    title: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    lifecycle: Mapped[str] = mapped_column(server_default="production")
    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("team.id"), index=True)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    links: Mapped[list[dict[str, str]]] = mapped_column(JSONB, server_default="[]")
    annotations: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    labels: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    spec: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    version: Mapped[int] = mapped_column(server_default=text("1"))
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    search: Mapped[str] = mapped_column(
        TSVECTOR, Computed("portal_search(name, title, description, tags)", persisted=True)
    )


class Relation(Base):
    """A directed edge between two entities."""

    __tablename__ = "relation"
    __table_args__ = (
        CheckConstraint(one_of("type", RelationType), name="type"),
        CheckConstraint("source_id <> target_id", name="not_to_itself"),
    )
    source_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("entity.id", ondelete="CASCADE"), primary_key=True
    )
    type: Mapped[str] = mapped_column(primary_key=True)
    target_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("entity.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class NamedRelation(Base):
    """A relation to an entity which is known by its name alone: it need not be there yet.

    Also one that an entity states from its other end (`inverse`), which is the stating one's.
    """

    __tablename__ = "named_relation"
    __table_args__ = (
        CheckConstraint(one_of("type", RelationType), name="type"),
        Index(
            "ix_named_relation_other", "other_kind", "other_namespace", text("lower(other_name)")
        ),
    )
    entity_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("entity.id", ondelete="CASCADE"), primary_key=True
    )
    type: Mapped[str] = mapped_column(primary_key=True)
    inverse: Mapped[bool] = mapped_column(primary_key=True)
    other_kind: Mapped[str] = mapped_column(primary_key=True)
    other_namespace: Mapped[str] = mapped_column(primary_key=True)
    other_name: Mapped[str] = mapped_column(primary_key=True)


class ApiContent(Base):
    """An API document, kept once however many versions share it."""

    __tablename__ = "api_content"
    __table_args__ = (
        CheckConstraint(one_of("api_kind", ApiKind), name="api_kind"),
        Index("ix_api_content_search", "search", postgresql_using="gin"),
    )
    sha256: Mapped[bytes] = mapped_column(primary_key=True)
    api_kind: Mapped[str] = mapped_column(server_default="openapi")
    # As text: JSONB would forget the order in which the author put the paths.
    document: Mapped[str]
    # The document in Swagger 2.0, of which `document` is the conversion.
    original: Mapped[str | None]
    # The version of OpenAPI, or of the language that it is written in.
    openapi: Mapped[str]
    title: Mapped[str]
    size_bytes: Mapped[int]
    summary: Mapped[str]
    search: Mapped[str] = mapped_column(
        TSVECTOR, Computed("portal_search('', title, summary, '{}')", persisted=True)
    )


class ApiDocument(Identified, Base):
    """One version of an interface's document."""

    __tablename__ = "api_document"
    __table_args__ = (UniqueConstraint("entity_id", "version"),)
    entity_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("entity.id", ondelete="CASCADE"))
    version: Mapped[str]
    sha256: Mapped[bytes] = mapped_column(ForeignKey("api_content.sha256"), index=True)


class Page(Identified, Base):
    """A page of an entity's documentation, as written and as shown."""

    __tablename__ = "page"
    __table_args__ = (
        UniqueConstraint("entity_id", "slug"),
        Index("ix_page_search", "search", postgresql_using="gin"),
    )
    entity_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("entity.id", ondelete="CASCADE"))
    slug: Mapped[str]
    title: Mapped[str]
    markdown: Mapped[str]
    html: Mapped[str]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    search: Mapped[str] = mapped_column(
        TSVECTOR,
        Computed("portal_search('', title, markdown, '{}')", persisted=True),
    )
