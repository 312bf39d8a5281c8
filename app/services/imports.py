"""Import of catalog-info.yaml: all of a file, or nothing of it."""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.constants import MAX_IMPORT_BYTES
from app.exceptions import ForbiddenError, InvalidRequestError, TooLargeError
from app.models.access import Actor
from app.models.api_documents import VersionName
from app.models.entities import EntityKey
from app.models.imports import ImportedEntity, ImportResult
from app.services.api_documents import ApiDocuments
from app.services.cache import ReadCache
from app.services.catalog_info import CatalogInfoError, Descriptor, parse_catalog_info
from app.services.catalogue import LISTS
from app.services.entity_rules import describe_change
from app.storage.api_documents import (
    Content,
    delete_unused_contents,
    get_head,
    put_version,
)
from app.storage.audit import add_event
from app.storage.database import Database
from app.storage.entities import (
    StoredEntity,
    add_entity,
    find_team,
    get_entities,
    update_entity,
)
from app.storage.relations import Edge, add_edges, delete_edges, list_edges

Result = Literal["created", "updated", "unchanged"]
_MAX_SHOWN_MISTAKES = 50
_VERSION = TypeAdapter[str](VersionName)


@dataclass(frozen=True)
class _Item:
    """A document of the file beside what the portal has stored of it."""

    descriptor: Descriptor
    owner_id: uuid.UUID
    stored: StoredEntity | None
    definition: tuple[Content, str] | None

    @property
    def key(self) -> EntityKey:
        return self.descriptor.entity.key


@dataclass
class _Imported:
    """A document whose entity is stored."""

    item: _Item
    entity_id: uuid.UUID
    result: Result

    def note_change(self) -> None:
        """The entity itself was unchanged, but something that belongs to it was not."""
        if self.result == "unchanged":
            self.result = "updated"


class Imports:
    """Brings entities, their relations and API documents from a file."""

    def __init__(self, database: Database, cache: ReadCache, documents: ApiDocuments) -> None:
        self._database = database
        self._cache = cache
        self._documents = documents

    async def run(self, actor: Actor, content: bytes) -> ImportResult:
        """Import a file in one transaction; what is there as it says stays untouched.

        Raises
        ------
        InvalidRequestError
            Raised with every mistake of every document.
        ForbiddenError
            Raised when one entity is not for the actor to change.
        """
        async with self._documents.turn(actor):
            descriptors = await self._parse(content)
            definitions = await self._check_definitions(descriptors)
        async with self._database.connect() as connection:
            items = await _match(connection, actor, descriptors, definitions)
            imported = [await _write_entity(connection, actor, item) for item in items]
            ids = await _find_targets(connection, imported)
            for one in imported:
                if await _write_edges(connection, actor, one, ids):
                    one.note_change()
                if await _write_definition(connection, actor, one):
                    one.note_change()
        await self._cache.forget(LISTS, *(f"entity:{item.key}" for item in items))
        return ImportResult(
            items=[ImportedEntity(**asdict(one.item.key), result=one.result) for one in imported]
        )

    async def _parse(self, content: bytes) -> list[Descriptor]:
        if len(content) > MAX_IMPORT_BYTES:
            raise TooLargeError(f"the file should have at most {MAX_IMPORT_BYTES} bytes")
        try:
            text = content.decode("utf-8-sig")
            return await asyncio.to_thread(parse_catalog_info, text)
        except UnicodeDecodeError as error:
            raise InvalidRequestError("the file should be text in UTF-8") from error
        except CatalogInfoError as error:
            raise _refuse(error.mistakes) from error

    async def _check_definitions(
        self, descriptors: list[Descriptor]
    ) -> dict[int, tuple[Content, str]]:
        found: dict[int, tuple[Content, str]] = {}
        mistakes: list[str] = []
        for descriptor in descriptors:
            if descriptor.definition is None:
                continue
            try:
                checked = await self._documents.check(descriptor.definition.encode())
                found[descriptor.number] = checked
                _VERSION.validate_python(checked[1])
            except ValidationError:
                rule = "info.version: should be letters and digits, with -, _, . and + between"
                mistakes.append(f"document {descriptor.number}: spec.definition: {rule}")
            except InvalidRequestError as error:
                mistakes.append(f"document {descriptor.number}: spec.definition: {error.detail}")
        if mistakes:
            raise _refuse(mistakes)
        return found


def _refuse(mistakes: list[str]) -> InvalidRequestError:
    shown = mistakes[:_MAX_SHOWN_MISTAKES]
    more = len(mistakes) - len(shown)
    return InvalidRequestError("; ".join([*shown, *([f"and {more} more"] if more else [])]))


async def _match(
    connection: AsyncConnection,
    actor: Actor,
    descriptors: list[Descriptor],
    definitions: dict[int, tuple[Content, str]],
) -> list[_Item]:
    """The documents beside what is there, all of it locked; raises with every mistake."""
    keys = [descriptor.entity.key for descriptor in descriptors]
    stored = await get_entities(connection, keys, lock=True)
    targets = {key for found in descriptors for _, key in found.targets.values()}
    known = {*keys, *await get_entities(connection, list(targets))} if targets else set(keys)
    owners = {d.entity.owner: await find_team(connection, d.entity.owner) for d in descriptors}
    mistakes: list[str] = []
    items: list[_Item] = []
    for descriptor in descriptors:
        mistakes += _mistakes(descriptor, known, owners)
        found = stored.get(descriptor.entity.key)
        owner_id = owners[descriptor.entity.owner]
        if owner_id is not None:
            definition = definitions.get(descriptor.number)
            items.append(_Item(descriptor, owner_id, found, definition))
    if mistakes:
        raise _refuse(mistakes)
    _check_owners(actor, items)
    return items


def _mistakes(
    descriptor: Descriptor, known: set[EntityKey], owners: dict[str, uuid.UUID | None]
) -> list[str]:
    where, owner = f"document {descriptor.number}", descriptor.entity.owner
    found = []
    if owners[owner] is None:
        found.append(f"{where}: spec.owner: should name a team that exists (got '{owner}')")
    for place, (_, key) in descriptor.targets.items():
        if key not in known:
            found.append(f"{where}: {place}: should name an entity that exists (got '{key}')")
        if key == descriptor.entity.key:
            found.append(f"{where}: {place}: should not name the entity itself (got '{key}')")
    return found


def _check_owners(actor: Actor, items: list[_Item]) -> None:
    for item in items:
        owners = {item.descriptor.entity.owner}
        if item.stored is not None:
            owners.add(item.stored.entity.owner)
        if refused := sorted(owner for owner in owners if not actor.may_change(owner)):
            raise ForbiddenError(
                f"document {item.descriptor.number}: only members of the team '{refused[0]}' "
                f"may change {item.key}"
            )


async def _write_entity(connection: AsyncConnection, actor: Actor, item: _Item) -> _Imported:
    entity, stored = item.descriptor.entity, item.stored
    if stored is None:
        added = await add_entity(connection, item.key, item.owner_id, entity)
        detail = {"entity": entity.model_dump(mode="json", exclude_defaults=True)}
        await _record(connection, actor, "entity.create", str(item.key), detail)
        return _Imported(item, added, "created")
    detail = describe_change(stored.entity, entity)
    if not detail:
        return _Imported(item, stored.id, "unchanged")
    await update_entity(connection, stored.id, item.owner_id, entity)
    await _record(connection, actor, "entity.update", str(item.key), detail)
    return _Imported(item, stored.id, "updated")


async def _find_targets(
    connection: AsyncConnection, imported: list[_Imported]
) -> dict[EntityKey, uuid.UUID]:
    """The ids of all entities that relations of the file lead to."""
    ids = {one.item.key: one.entity_id for one in imported}
    targets = {key for one in imported for _, key in one.item.descriptor.targets.values()}
    others = await get_entities(connection, list(targets - ids.keys()))
    return ids | {key: stored.id for key, stored in others.items()}


async def _write_edges(
    connection: AsyncConnection, actor: Actor, one: _Imported, ids: dict[EntityKey, uuid.UUID]
) -> bool:
    """Give the entity the relations of the file and no others; whether that changed any."""
    targets = one.item.descriptor.targets.values()
    wanted: set[Edge] = {(relation, ids[key]) for relation, key in targets}
    current = await list_edges(connection, one.entity_id)
    if wanted == current:
        return False
    await delete_edges(connection, one.entity_id, current - wanted)
    await add_edges(connection, one.entity_id, wanted - current)
    detail = {"relations": sorted(f"{relation} {key}" for relation, key in targets)}
    await _record(connection, actor, "relation.replace", str(one.item.key), detail)
    return True


async def _write_definition(connection: AsyncConnection, actor: Actor, one: _Imported) -> bool:
    """Publish the document under the version that it names; whether that is a change."""
    if one.item.definition is None:
        return False
    content, version = one.item.definition
    found = await get_head(connection, one.entity_id, version)
    before = found and bytes.fromhex(found.sha256)
    if before == content.sha256:
        return False
    await put_version(connection, one.entity_id, version, content)
    await delete_unused_contents(connection, [before] if before else [])
    detail = {"sha256": {"before": before and before.hex(), "after": content.sha256.hex()}}
    action = "version.update" if before else "version.create"
    await _record(connection, actor, action, f"{one.item.key}/versions/{version}", detail)
    return True


async def _record(
    connection: AsyncConnection,
    actor: Actor,
    action: str,
    target: str,
    detail: Mapping[str, object],
) -> None:
    await add_event(
        connection, actor=actor, action=action, target=target, detail={**detail, "by": "import"}
    )
