"""The catalogue: entities, who may change them, and the version that a change applies to."""

import hashlib
import uuid
from collections.abc import Collection

from pydantic import BaseModel

from app.constants import PAGE_SIZE
from app.exceptions import ConflictError
from app.models.access import Actor
from app.models.entities import (
    EntityChange,
    EntityField,
    EntityKey,
    EntityNew,
    EntityOut,
    EntityPage,
    EntityQuery,
    Facets,
)
from app.services.cache import ReadCache, Snapshot
from app.services.cursors import Cursors
from app.services.entity_rules import (
    check_owner,
    check_version,
    describe_change,
    entity_tag,
    find_owner,
    require_entity,
    require_owned,
)
from app.storage.api_documents import delete_unused_contents, list_contents
from app.storage.audit import add_event
from app.storage.database import Database
from app.storage.entities import (
    SavedEntity,
    count_entities,
    count_facets,
    delete_entity,
    list_entities,
    save_entities,
)
from app.storage.generations import Lookup
from app.storage.relations import keep_by_name

LIST_FIELDS: tuple[EntityField, ...] = (
    "title",
    "description",
    "owner",
    "lifecycle",
    "tags",
    "updated_at",
)
"""The fields of a list unless a request names others."""

LISTS = "lists"
"""The cache's scope of everything that shows more than one entity."""


class Catalogue:
    """The organisation's services and interfaces."""

    def __init__(self, database: Database, cache: ReadCache, cursors: Cursors) -> None:
        self._database = database
        self._cache = cache
        self._cursors = cursors

    async def get(self, key: EntityKey) -> EntityOut:
        """One entity.

        Raises
        ------
        NotFoundError
            Raised when there is none of that key.
        """
        return EntityOut.model_validate_json((await self.read(key)).body)

    def plan(self, key: EntityKey) -> Lookup:
        """What `read` needs of the cache."""
        return self._cache.plan(f"entity:{key}")

    async def read(self, key: EntityKey, lookup: Lookup | None = None) -> Snapshot:
        """One entity as JSON, from the cache if possible; see `ReadCache.read`."""

        async def load() -> Snapshot:
            stored = await self._database.read_quickly(lambda by: require_entity(by, key))
            return Snapshot(stored.entity.model_dump_json().encode(), entity_tag(stored))

        return await self._cache.read(f"entity:{key}", f"entity:{key}", load, lookup)

    async def list_page(
        self,
        query: EntityQuery,
        *,
        fields: Collection[str] = LIST_FIELDS,
        cursor: str | None = None,
        limit: int = PAGE_SIZE,
    ) -> EntityPage:
        """One page of the matching entities.

        Raises
        ------
        NotFoundError
            Raised for a cursor that is not from a page of this list.
        """
        listing = f"entities:{query.model_dump_json(exclude_none=True)}"
        after = None
        if cursor:
            kind, namespace, name = self._cursors.decode(listing, cursor)
            after = EntityKey(kind=kind, namespace=namespace, name=name)
        async with self._database.read() as connection:
            # One more than the limit shows whether there is another page.
            items = await list_entities(
                connection, query, fields=fields, after=after, limit=limit + 1
            )
        last = items[limit - 1] if len(items) > limit else None
        position = last and [last.kind, last.namespace, last.name]
        return EntityPage(
            items=items[:limit],
            next_cursor=self._cursors.encode(listing, position) if position else None,
        )

    async def read_page(
        self,
        query: EntityQuery,
        *,
        fields: Collection[str] = LIST_FIELDS,
        cursor: str | None = None,
        limit: int = PAGE_SIZE,
    ) -> Snapshot:
        """One page as JSON; a first one of the usual fields and length is cached."""

        async def load() -> Snapshot:
            page = await self.list_page(query, fields=fields, cursor=cursor, limit=limit)
            return snapshot(page)

        if cursor or limit != PAGE_SIZE or set(fields) != set(LIST_FIELDS):
            return await load()
        return await self._cache.read(
            f"entities:{query.model_dump_json(exclude_none=True)}", LISTS, load
        )

    async def count(self, query: EntityQuery) -> int:
        """How many entities match."""
        async with self._database.read() as connection:
            return await count_entities(connection, query)

    async def facets(self) -> Facets:
        """The values that lists can be filtered by."""

        async def load() -> Snapshot:
            async with self._database.read() as connection:
                return snapshot(await count_facets(connection))

        return Facets.model_validate_json((await self._cache.read("facets", LISTS, load)).body)

    async def create(self, actor: Actor, new: EntityNew) -> Snapshot:
        """Add an entity.

        Raises
        ------
        ConflictError
            Raised when the key exists already.
        ForbiddenError
            Raised when the actor does not belong to the owning team.
        """
        check_owner(actor, new.owner)
        try:
            async with self._database.connect() as connection:
                owner_id = await find_owner(connection, new.owner)
                await save_entities(connection, [SavedEntity(uuid.uuid4(), owner_id, new.key, new)])
                detail = {"entity": new.model_dump(mode="json", exclude_defaults=True)}
                await add_event(connection, actor, "entity.create", str(new.key), detail)
                stored = await require_entity(connection, new.key)
        except ConflictError as error:
            raise ConflictError(f"{new.key}: should be a new entity (it exists)") from error
        await self._forget(new.key)
        return Snapshot(stored.entity.model_dump_json().encode(), entity_tag(stored))

    async def replace(
        self, actor: Actor, key: EntityKey, change: EntityChange, *, if_match: str
    ) -> Snapshot:
        """Replace an entity's content.

        Raises
        ------
        ChangedMeanwhileError
            Raised when `if_match` is not the current version.
        ForbiddenError
            Raised when the actor does not belong to both the old and the new owning team.
        """
        async with self._database.connect() as connection:
            stored = await require_owned(connection, actor, key)
            check_owner(actor, change.owner)
            check_version(if_match, entity_tag(stored))
            detail = describe_change(stored.entity, change)
            if detail:
                owner_id = await find_owner(connection, change.owner)
                await save_entities(connection, [SavedEntity(stored.id, owner_id, key, change)])
                await add_event(connection, actor, "entity.update", str(key), detail)
                stored = await require_entity(connection, key)
        await self._forget(key)
        return Snapshot(stored.entity.model_dump_json().encode(), entity_tag(stored))

    async def delete(self, actor: Actor, key: EntityKey, *, if_match: str) -> None:
        """Remove an entity with its own relations, documents and pages."""
        async with self._database.connect() as connection:
            stored = await require_owned(connection, actor, key)
            check_version(if_match, entity_tag(stored))
            contents = await list_contents(connection, stored.id)
            await keep_by_name(connection, stored.id)
            await delete_entity(connection, stored.id)
            await delete_unused_contents(connection, contents)
            detail = {"entity": stored.entity.model_dump(mode="json")}
            await add_event(connection, actor, "entity.delete", str(key), detail)
        await self._forget(key)

    async def _forget(self, key: EntityKey) -> None:
        await self._cache.forget(f"entity:{key}", LISTS)


def snapshot(model: BaseModel) -> Snapshot:
    """A model as JSON, tagged by its content."""
    body = model.model_dump_json(exclude_unset=isinstance(model, EntityPage)).encode()
    return Snapshot(body, f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"')
