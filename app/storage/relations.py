"""Relations in PostgreSQL.

One between two entities that are there is a row of `relation`; one to an entity that need not be
there, or that is stated from its other end, is a row of `named_relation`.
"""

import json
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models.entities import EntityKey
from app.models.relations import EntityRef, RelationOut, Relations, RelationType

_SAME = (
    "o.kind = n.other_kind AND o.namespace = n.other_namespace "
    "AND lower(o.name) = lower(n.other_name)"
)
# UNION: a relation may be there by id and by name, and stated from both ends.
_LIST = text(
    f"""
    SELECT true AS outgoing, r.type, o.kind, o.namespace, o.name, o.title, true AS exists
    FROM relation r JOIN entity o ON o.id = r.target_id WHERE r.source_id = :id
    UNION
    SELECT false, r.type, o.kind, o.namespace, o.name, o.title, true
    FROM relation r JOIN entity o ON o.id = r.source_id WHERE r.target_id = :id
    UNION
    SELECT NOT n.inverse, n.type, n.other_kind, n.other_namespace, coalesce(o.name, n.other_name),
        coalesce(o.title, n.other_name), o.id IS NOT NULL
    FROM named_relation n LEFT JOIN entity o ON {_SAME}
    WHERE n.entity_id = :id
    UNION
    SELECT n.inverse, n.type, e.kind, e.namespace, e.name, e.title, true
    FROM entity o JOIN named_relation n ON {_SAME} JOIN entity e ON e.id = n.entity_id
    WHERE o.id = :id
    ORDER BY type, kind, namespace, name
    """
)
_STATED = text(
    """
    SELECT r.source_id AS id, r.type, o.kind, o.namespace, lower(o.name) AS name, false AS inverse
    FROM relation r JOIN entity o ON o.id = r.target_id WHERE r.source_id = ANY(:ids)
    UNION
    SELECT entity_id, type, other_kind, other_namespace, lower(other_name), inverse
    FROM named_relation WHERE entity_id = ANY(:ids)
    """
)
_ROWS = """jsonb_to_recordset(CAST(:rows AS jsonb))
    AS s(id uuid, type text, inverse boolean, kind text, namespace text, name text)"""
_OTHER = "o.kind = s.kind AND o.namespace = s.namespace AND lower(o.name) = lower(s.name)"
_DELETE = (
    f"""DELETE FROM relation r USING {_ROWS}, entity o
    WHERE {_OTHER} AND r.source_id = s.id AND r.type = s.type AND r.target_id = o.id
        AND NOT s.inverse""",
    f"""DELETE FROM named_relation n USING {_ROWS}
    WHERE n.entity_id = s.id AND n.type = s.type AND n.inverse = s.inverse
        AND n.other_kind = s.kind AND n.other_namespace = s.namespace
        AND lower(n.other_name) = lower(s.name)""",
)
_ADD = (
    f"""INSERT INTO relation (source_id, type, target_id)
    SELECT s.id, s.type, o.id FROM {_ROWS} JOIN entity o ON {_OTHER} WHERE NOT s.inverse
    ON CONFLICT DO NOTHING""",
    f"""INSERT INTO named_relation
        (entity_id, type, inverse, other_kind, other_namespace, other_name)
    SELECT s.id, s.type, s.inverse, s.kind, s.namespace, s.name
    FROM {_ROWS} LEFT JOIN entity o ON {_OTHER} WHERE s.inverse OR o.id IS NULL
    ON CONFLICT DO NOTHING""",
)

_KEEP = text(
    """
    INSERT INTO named_relation
        (entity_id, type, inverse, other_kind, other_namespace, other_name)
    SELECT r.source_id, r.type, false, o.kind, o.namespace, o.name
    FROM relation r JOIN entity o ON o.id = r.target_id WHERE o.id = :id
    ON CONFLICT DO NOTHING
    """
)


class Statement(NamedTuple):
    """What an entity says of itself and another; `inverse` if the other is the source."""

    type: RelationType
    other: EntityKey
    inverse: bool = False


async def list_relations(connection: AsyncConnection, entity_id: uuid.UUID) -> Relations:
    """The relations from and to an entity, in one query."""
    rows = (await connection.execute(_LIST, {"id": entity_id})).all()
    edges = [
        (row.outgoing, RelationOut(type=row.type, entity=EntityRef.model_validate(row)))
        for row in rows
    ]
    return Relations(
        outgoing=[edge for outgoing, edge in edges if outgoing],
        incoming=[edge for outgoing, edge in edges if not outgoing],
    )


async def list_statements(
    connection: AsyncConnection, entity_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, set[Statement]]:
    """What each of the entities states, by the folded keys of the others."""
    found: dict[uuid.UUID, set[Statement]] = defaultdict(set)
    for row in await connection.execute(_STATED, {"ids": list(entity_ids)}):
        other = EntityKey(row.kind, row.namespace, row.name)
        found[row.id].add(Statement(row.type, other, row.inverse))
    return found


async def keep_by_name(connection: AsyncConnection, entity_id: uuid.UUID) -> None:
    """Before an entity is removed: what others state of it stays, by its name."""
    await connection.execute(_KEEP, {"id": entity_id})


async def add_statements(
    connection: AsyncConnection, stated: Iterable[tuple[uuid.UUID, Statement]]
) -> int:
    """Add what entities state, in two statements; returns how many relations are new."""
    return await _run(connection, _ADD, stated)


async def delete_statements(
    connection: AsyncConnection, stated: Iterable[tuple[uuid.UUID, Statement]]
) -> int:
    """Remove what entities state, in two statements; returns how many relations existed."""
    return await _run(connection, _DELETE, stated)


async def _run(
    connection: AsyncConnection,
    statements: Iterable[str],
    stated: Iterable[tuple[uuid.UUID, Statement]],
) -> int:
    rows: list[dict[str, Any]] = [
        {
            "id": str(entity_id),
            "type": statement.type,
            "inverse": statement.inverse,
            "kind": statement.other.kind,
            "namespace": statement.other.namespace,
            "name": statement.other.name,
        }
        for entity_id, statement in stated
    ]
    if not rows:
        return 0
    values = {"rows": json.dumps(rows)}
    return sum([(await connection.execute(text(sql), values)).rowcount for sql in statements])
