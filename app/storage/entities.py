"""Catalogue entries in PostgreSQL."""

from typing import Any

from sqlalchemy import Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models.entities import EntityOut
from app.schema import Entity, Team

Key = tuple[str, str, str]
"""Kind, namespace and name: what identifies an entity, and the order of lists."""

_ORDER = (Entity.kind, Entity.namespace, Entity.name)


def _entities() -> Select[*tuple[Any, ...]]:
    return select(
        Entity.kind,
        Entity.namespace,
        Entity.name,
        Entity.title,
        Entity.description,
        Entity.lifecycle,
        Team.name.label("owner"),
        Entity.tags,
        Entity.spec,
    ).join(Team, Team.id == Entity.owner_id)


async def list_entities(
    connection: AsyncConnection, *, after: Key | None, limit: int
) -> list[EntityOut]:
    """Up to `limit` entities behind a key, in order."""
    query = _entities().order_by(*_ORDER).limit(limit)
    if after is not None:
        query = query.where(tuple_(*_ORDER) > after)
    return [EntityOut.model_validate(row) for row in await connection.execute(query)]


async def get_entity(connection: AsyncConnection, key: Key) -> EntityOut | None:
    """The entity of that key, if there is one."""
    query = _entities().where(tuple_(*_ORDER) == key)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else EntityOut.model_validate(row)
