"""Relations between entities."""

import uuid

from app.exceptions import InvalidRequestError, NotFoundError
from app.models.access import Actor
from app.models.entities import EntityKey
from app.models.relations import Relations as RelationsOut
from app.models.relations import RelationType
from app.services.cache import ReadCache, Snapshot
from app.services.catalogue import LISTS, snapshot
from app.services.entity_rules import lock_owned, require_entity
from app.storage.audit import add_event
from app.storage.database import Database
from app.storage.entities import get_entity
from app.storage.relations import Edge, add_edges, delete_edges, list_relations


class Relations:
    """Relations between entities; each belongs to the entity that it leads from."""

    def __init__(self, database: Database, cache: ReadCache) -> None:
        self._database = database
        self._cache = cache

    async def list(self, key: EntityKey) -> RelationsOut:
        """The relations from and to an entity."""
        return RelationsOut.model_validate_json((await self.read(key)).body)

    async def read(self, key: EntityKey) -> Snapshot:
        """The same as JSON, from the cache if possible."""

        async def load() -> Snapshot:
            async with self._database.connect() as connection:
                stored = await require_entity(connection, key)
                return snapshot(await list_relations(connection, stored.id))

        return await self._cache.read(f"relations:{key}", LISTS, load)

    async def add(
        self, actor: Actor, key: EntityKey, type_: RelationType, target: EntityKey
    ) -> None:
        """Add a relation; one that exists stays.

        Raises
        ------
        NotFoundError
            Raised when the target does not exist.
        InvalidRequestError
            Raised when it is the entity itself.
        """
        if key == target:
            raise InvalidRequestError(f"{key}: should not have a relation to itself")
        await self._change(actor, key, type_, target, add=True)

    async def remove(
        self, actor: Actor, key: EntityKey, type_: RelationType, target: EntityKey
    ) -> None:
        """Remove a relation.

        Raises
        ------
        NotFoundError
            Raised when there is none.
        """
        await self._change(actor, key, type_, target, add=False)

    async def _change(
        self, actor: Actor, key: EntityKey, type_: RelationType, target: EntityKey, *, add: bool
    ) -> None:
        async with self._database.connect() as connection:
            stored = await lock_owned(connection, actor, key)
            other = await get_entity(connection, target)
            edge = _edge(type_, other and other.id, target)
            changed = await (add_edges if add else delete_edges)(connection, stored.id, [edge])
            if not changed and not add:
                raise NotFoundError(f"{key} has no relation {type_} to {target}")
            if changed:
                await add_event(
                    connection,
                    actor=actor,
                    action="relation.create" if add else "relation.delete",
                    target=str(key),
                    detail={"type": type_, "to": str(target)},
                )
        await self._cache.forget(LISTS)


def _edge(type_: str, target_id: uuid.UUID | None, target: EntityKey) -> Edge:
    if target_id is None:
        raise NotFoundError(f"there is no {target.kind} '{target.namespace}/{target.name}'")
    return type_, target_id
