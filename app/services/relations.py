"""Relations between entities."""

from sqlalchemy.ext.asyncio import AsyncConnection

from app.exceptions import InvalidRequestError, NotFoundError
from app.models.access import Actor
from app.models.entities import EntityKey
from app.models.relations import Relations as RelationsOut
from app.models.relations import RelationType
from app.services.cache import ReadCache, Snapshot
from app.services.catalogue import LISTS, snapshot
from app.services.entity_rules import require_entity, require_owned
from app.storage.audit import add_event
from app.storage.database import Database
from app.storage.entities import get_entity
from app.storage.relations import Statement, add_statements, delete_statements, list_relations


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
        async with self._database.connect() as connection:
            stored = await require_owned(connection, actor, key)
            await require_entity(connection, target)
            if await add_statements(connection, [(stored.id, Statement(type_, target))]):
                await _record(connection, actor, "relation.create", key, type_, target)
        await self._cache.forget(LISTS)

    async def remove(
        self, actor: Actor, key: EntityKey, type_: RelationType, target: EntityKey
    ) -> None:
        """Remove a relation, also one that the target has stated.

        Raises
        ------
        NotFoundError
            Raised when there is none.
        """
        async with self._database.connect() as connection:
            stored = await require_owned(connection, actor, key)
            other = await get_entity(connection, target)
            stated = [(stored.id, Statement(type_, target))]
            if other is not None:
                stated.append((other.id, Statement(type_, key, inverse=True)))
            if not await delete_statements(connection, stated):
                raise NotFoundError(f"{key} has no relation {type_} to {target}")
            await _record(connection, actor, "relation.delete", key, type_, target)
        await self._cache.forget(LISTS)


async def _record(
    connection: AsyncConnection,
    actor: Actor,
    action: str,
    key: EntityKey,
    type_: RelationType,
    target: EntityKey,
) -> None:
    detail = {"type": type_, "to": str(target)}
    await add_event(connection, actor, action, str(key), detail)
