"""Catalogue entries in PostgreSQL."""

import json
import uuid
from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple, get_args

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Row,
    Text,
    and_,
    bindparam,
    delete,
    func,
    select,
    text,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models.entities import (
    EntityChange,
    EntityField,
    EntityItem,
    EntityKey,
    EntityOut,
    EntityQuery,
    Facet,
    Facets,
)
from app.schema import Entity, Team

_KEY = (Entity.kind, Entity.namespace, Entity.name)
"""What identifies an entity, and the order of lists."""

_COLUMNS: dict[str, Any] = {
    name: Team.name.label(name) if name == "owner" else getattr(Entity, name)
    for name in get_args(EntityField)
}
_FACETS: dict[str, Any] = {
    "kind": Entity.kind,
    "namespace": Entity.namespace,
    "owner": Team.name,
    "lifecycle": Entity.lifecycle,
    "tag": func.unnest(Entity.tags),
}
_WANTED = (
    func.unnest(*(bindparam(name, type_=ARRAY(Text)) for name in ("kinds", "namespaces", "names")))
    .table_valued("kind", "namespace", "name", name="wanted")
    .render_derived()
)
# Built once, and the same text for any number of keys, so driver and server can cache it.
_BY_KEY = (
    select(Entity.id, *_KEY, *_COLUMNS.values())
    .join(Team, Team.id == Entity.owner_id)
    .join(
        _WANTED,
        and_(
            Entity.kind == _WANTED.c.kind,
            Entity.namespace == _WANTED.c.namespace,
            func.lower(Entity.name) == _WANTED.c.name,
        ),
    )
    .order_by(*_KEY)
)
_BY_KEY_LOCKED = _BY_KEY.with_for_update(of=Entity)
_BY_ONE_KEY = (
    select(Entity.id, *_KEY, *_COLUMNS.values())
    .join(Team, Team.id == Entity.owner_id)
    .where(*(column == bindparam(f"wanted_{column.key}") for column in _KEY))
)
_BY_ONE_KEY_LOCKED = _BY_ONE_KEY.with_for_update(of=Entity)

# One value for all rows: a statement with one for each column of each row takes ten times as long.
_SAVED = {
    "id": "uuid",
    **dict.fromkeys(("kind", "namespace", "name", "title", "description", "lifecycle"), "text"),
    "owner_id": "uuid",
    "tags": "text[]",
    **dict.fromkeys(("links", "annotations", "labels", "spec"), "jsonb"),
}
_REPLACED = [name for name in _SAVED if name not in ("id", "kind", "namespace", "name")]
_SAVE = text(
    f"""
    INSERT INTO entity ({", ".join(_SAVED)})
    SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS row({", ".join(f"{name} {type_}" for name, type_ in _SAVED.items())})
    ON CONFLICT (id) DO UPDATE SET version = entity.version + 1, updated_at = now(),
        {", ".join(f"{name} = excluded.{name}" for name in _REPLACED)}
    """
)


class StoredEntity(NamedTuple):
    """An entity with what only the database knows it by."""

    id: uuid.UUID
    entity: EntityOut


async def list_entities(
    connection: AsyncConnection,
    query: EntityQuery,
    *,
    fields: Collection[str],
    after: EntityKey | None,
    limit: int,
) -> list[EntityItem]:
    """Up to `limit` entities after a key, in order, with these fields."""
    columns = [column for name, column in _COLUMNS.items() if name in fields]
    statement = select(*_KEY, *columns).join(Team, Team.id == Entity.owner_id)
    statement = statement.where(*_conditions(query)).order_by(*_KEY).limit(limit)
    if after is not None:
        statement = statement.where(tuple_(*_KEY) > (after.kind, after.namespace, after.name))
    rows = await connection.execute(statement)
    return [EntityItem.model_validate(row._mapping) for row in rows]


def _conditions(query: EntityQuery) -> list[ColumnElement[bool]]:
    exact = {
        Entity.kind: query.kind,
        Entity.namespace: query.namespace,
        Entity.lifecycle: query.lifecycle,
        Team.name: query.owner,
    }
    found: list[ColumnElement[bool]] = [
        column == value for column, value in exact.items() if value is not None
    ]
    if query.tag is not None:
        found.append(Entity.tags.contains([query.tag]))
    return found


async def count_entities(connection: AsyncConnection, query: EntityQuery) -> int:
    """How many entities match."""
    statement = select(func.count()).select_from(Entity).join(Team, Team.id == Entity.owner_id)
    count: int = (await connection.execute(statement.where(*_conditions(query)))).scalar_one()
    return count


async def count_facets(connection: AsyncConnection) -> Facets:
    """Every value that lists can be narrowed by, the most frequent first."""
    return Facets(**{name: await _count(connection, _FACETS[name]) for name in _FACETS})


async def _count(connection: AsyncConnection, column: Any) -> list[Facet]:
    value, count = column.label("value"), func.count().label("count")
    statement = select(value, count).select_from(Entity).join(Team, Team.id == Entity.owner_id)
    statement = statement.group_by(value).order_by(count.desc(), value)
    rows = await connection.execute(statement)
    return [Facet(value=row.value, count=row[1]) for row in rows]


async def get_entity(
    connection: AsyncConnection, key: EntityKey, *, lock: bool = False
) -> StoredEntity | None:
    """The entity of that key, if it exists; with `lock`, locked against other changes."""
    wanted = {f"wanted_{name}": value for name, value in asdict(key).items()}
    row = (await connection.execute(_BY_ONE_KEY_LOCKED if lock else _BY_ONE_KEY, wanted)).first()
    return _stored(row) if row else None


async def get_entities(
    connection: AsyncConnection, keys: Sequence[EntityKey], *, lock: bool = False
) -> dict[EntityKey, StoredEntity]:
    """Those of the entities that exist, by their folded keys."""
    wanted = {
        "kinds": [key.kind for key in keys],
        "namespaces": [key.namespace for key in keys],
        "names": [key.folded.name for key in keys],
    }
    rows = await connection.execute(_BY_KEY_LOCKED if lock else _BY_KEY, wanted)
    return {EntityKey(row.kind, row.namespace, row.name).folded: _stored(row) for row in rows}


def _stored(row: Row[*tuple[Any, ...]]) -> StoredEntity:
    return StoredEntity(row.id, EntityOut.model_validate(row))


async def find_teams(connection: AsyncConnection, names: Collection[str]) -> dict[str, uuid.UUID]:
    """Ids of those of the teams that exist, held against removal until the transaction ends."""
    statement = select(Team.name, Team.id).where(Team.name.in_(names)).order_by(Team.name)
    rows = await connection.execute(statement.with_for_update(read=True, key_share=True))
    return {row.name: row.id for row in rows}


class SavedEntity(NamedTuple):
    """An entity to be written; a new one has a new id."""

    id: uuid.UUID
    owner_id: uuid.UUID
    key: EntityKey
    content: EntityChange


async def save_entities(connection: AsyncConnection, rows: Sequence[SavedEntity]) -> None:
    """Add entities, or replace the content of those whose id exists and count the change.

    It is one statement, and the database refuses another entity's key.
    """
    saved = [
        {
            "id": row.id,
            "owner_id": row.owner_id,
            **asdict(row.key),
            **row.content.model_dump(exclude={"owner", "kind", "namespace", "name"}),
        }
        for row in rows
    ]
    if saved:
        await connection.execute(_SAVE, {"rows": json.dumps(saved, default=str)})


async def delete_entity(connection: AsyncConnection, entity_id: uuid.UUID) -> None:
    """Remove an entity with its relations, documents and pages."""
    await connection.execute(delete(Entity).where(Entity.id == entity_id))
