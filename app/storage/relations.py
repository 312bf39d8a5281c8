"""Relations in PostgreSQL."""

import uuid
from collections.abc import Iterable

from sqlalchemy import delete, literal, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models.relations import EntityRef, RelationOut, Relations
from app.schema import Entity, Relation

Edge = tuple[str, uuid.UUID]
"""A type of relation and the entity it leads to."""

_REF = (Entity.kind, Entity.namespace, Entity.name, Entity.title)


async def list_relations(connection: AsyncConnection, entity_id: uuid.UUID) -> Relations:
    """The relations from and to an entity, in one query."""
    outgoing = (
        select(literal(True).label("out"), Relation.type, *_REF)
        .join(Entity, Entity.id == Relation.target_id)
        .where(Relation.source_id == entity_id)
    )
    incoming = (
        select(literal(False).label("out"), Relation.type, *_REF)
        .join(Entity, Entity.id == Relation.source_id)
        .where(Relation.target_id == entity_id)
    )
    both = outgoing.union_all(incoming)
    rows = (await connection.execute(both.order_by("type", "kind", "namespace", "name"))).all()
    edges = [(row.out, RelationOut(type=row.type, entity=_ref(row))) for row in rows]
    return Relations(
        outgoing=[edge for out, edge in edges if out],
        incoming=[edge for out, edge in edges if not out],
    )


def _ref(row: object) -> EntityRef:
    return EntityRef.model_validate(row)


async def list_edges(connection: AsyncConnection, source_id: uuid.UUID) -> set[Edge]:
    """What leads from an entity, by the ids of what it leads to."""
    statement = select(Relation.type, Relation.target_id).where(Relation.source_id == source_id)
    return {(row.type, row.target_id) for row in await connection.execute(statement)}


async def add_edges(
    connection: AsyncConnection, source_id: uuid.UUID, edges: Iterable[Edge]
) -> int:
    """Add relations from an entity; returns how many are new."""
    rows = [{"source_id": source_id, "type": t, "target_id": target} for t, target in edges]
    if not rows:
        return 0
    added = insert(Relation).values(rows).on_conflict_do_nothing().returning(Relation.type)
    return len((await connection.execute(added)).all())


async def delete_edges(
    connection: AsyncConnection, source_id: uuid.UUID, edges: Iterable[Edge]
) -> int:
    """Remove relations from an entity; returns how many existed."""
    gone = delete(Relation).where(
        Relation.source_id == source_id,
        tuple_(Relation.type, Relation.target_id).in_(list(edges)),
    )
    return (await connection.execute(gone)).rowcount
