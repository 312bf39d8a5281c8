"""Reading the catalogue."""

import base64
import binascii
import json

from pydantic import ValidationError

from app.constants import CACHE_SECONDS, PAGE_SIZE
from app.exceptions import NotFoundError
from app.models.entities import EntityOut, EntityPage
from app.storage.cache import Cache
from app.storage.database import Database
from app.storage.entities import Key, get_entity, list_entities

_FIRST_PAGE = "catalogue:first-page"


class Catalogue:
    """The organisation's services and interfaces."""

    def __init__(self, database: Database, cache: Cache) -> None:
        self._database = database
        self._cache = cache

    async def list_page(self, *, cursor: str | None, limit: int) -> EntityPage:
        """One page; the first of the usual size is remembered for some seconds.

        Raises
        ------
        NotFoundError
            Raised for a cursor that no page has given.
        UnavailableError
            Raised when PostgreSQL is away and the cache has nothing.
        """
        hot = cursor is None and limit == PAGE_SIZE
        if hot and (cached := await self._read_cached()):
            return cached
        page = await self._read_page(_decode(cursor) if cursor else None, limit)
        if hot:
            await self._cache.put(_FIRST_PAGE, page.model_dump_json(), seconds=CACHE_SECONDS)
        return page

    async def get(self, key: Key) -> EntityOut:
        """One entity.

        Raises
        ------
        NotFoundError
            Raised when there is none of that key.
        """
        found = await self._find(key) if _is_text(key) else None
        if found is None:
            raise NotFoundError(f"there is no {key[0]} '{key[1]}/{key[2]}'")
        return found

    async def _find(self, key: Key) -> EntityOut | None:
        async with self._database.connect() as connection:
            return await get_entity(connection, key)

    async def _read_cached(self) -> EntityPage | None:
        try:
            return EntityPage.model_validate_json(await self._cache.get(_FIRST_PAGE) or "")
        except ValidationError:
            # Nothing is there, or what a release with another shape has left.
            return None

    async def _read_page(self, after: Key | None, limit: int) -> EntityPage:
        async with self._database.connect() as connection:
            # One more than asked for tells whether there is a page behind this one.
            items = await list_entities(connection, after=after, limit=limit + 1)
        more = len(items) > limit
        items = items[:limit]
        return EntityPage(items=items, next_cursor=_encode(items[-1]) if more else None)


def _encode(entity: EntityOut) -> str:
    key = json.dumps([entity.kind, entity.namespace, entity.name])
    return base64.urlsafe_b64encode(key.encode()).decode()


def _decode(cursor: str) -> Key:
    unknown = NotFoundError("there is no page with this cursor")
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise unknown from error
    match found:
        case [str(kind), str(namespace), str(name)] if _is_text((kind, namespace, name)):
            return kind, namespace, name
        case _:
            raise unknown


def _is_text(key: Key) -> bool:
    """PostgreSQL has neither NUL nor half a surrogate pair, so no entity has them in its key."""
    return all(part.isprintable() for part in key)
