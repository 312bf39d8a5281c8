"""The entities of a catalog-info.yaml, with their relations and API documents."""

import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from app.exceptions import ForbiddenError, InvalidRequestError
from app.models.access import Actor
from app.models.entities import EntityKey
from app.models.imports import ImportedEntity
from app.services.api_uploads import ApiUploads
from app.services.descriptors import Descriptor
from app.services.entity_rules import describe_change
from app.services.import_outcome import Outcome
from app.storage.api_documents import Content, list_hashes
from app.storage.entities import SavedEntity, StoredEntity, find_teams, get_entities, save_entities
from app.storage.relations import Statement, add_statements, delete_statements, list_statements

_MAX_SHOWN_MISTAKES = 50


@dataclass(frozen=True)
class Item:
    """A document of the file beside what the portal has stored of it."""

    descriptor: Descriptor
    owner_id: uuid.UUID
    stored: StoredEntity | None
    id: uuid.UUID

    @property
    def key(self) -> EntityKey:
        """The stored entity's, whose name may differ in case."""
        if self.stored is None:
            return self.descriptor.entity.key
        entity = self.stored.entity
        return EntityKey(entity.kind, entity.namespace, entity.name)


Definitions = dict[int, tuple[Content, str]]
"""The checked document of an API and its version, by the number of the document."""


def refuse(mistakes: list[str]) -> InvalidRequestError:
    """The mistakes of a file, of which the first are named."""
    shown = mistakes[:_MAX_SHOWN_MISTAKES]
    more = len(mistakes) - len(shown)
    return InvalidRequestError("; ".join([*shown, *([f"and {more} more"] if more else [])]))


async def match(
    connection: AsyncConnection, actor: Actor, descriptors: list[Descriptor], outcome: Outcome
) -> list[Item]:
    """The documents beside what is there, all of it locked; raises with every mistake."""
    keys = [descriptor.entity.key for descriptor in descriptors]
    stored = await get_entities(connection, keys, lock=True)
    owners = await find_teams(connection, {descriptor.entity.owner for descriptor in descriptors})
    mistakes = [
        f"document {one.number}: spec.owner: should name a team that exists "
        f"(got '{one.entity.owner}')"
        for one in descriptors
        if one.entity.owner not in owners
    ]
    if mistakes:
        raise refuse(mistakes)
    items: list[Item] = []
    for one in descriptors:
        found = stored.get(one.entity.key.folded)
        entity_id = found.id if found else uuid.uuid4()
        items.append(Item(one, owners[one.entity.owner], found, entity_id))
    _check_owners(actor, items)
    for item in items:
        if item.key.name != item.descriptor.entity.name:
            what = f"stays '{item.key.name}' (got '{item.descriptor.entity.name}')"
            outcome.warn(item.descriptor.number, "metadata.name", what)
    return items


def _check_owners(actor: Actor, items: list[Item]) -> None:
    for item in items:
        owners = {item.descriptor.entity.owner}
        if item.stored is not None:
            owners.add(item.stored.entity.owner)
        if refused := sorted(owner for owner in owners if not actor.may_change(owner)):
            raise ForbiddenError(
                f"document {item.descriptor.number}: only members of the team '{refused[0]}' "
                f"may change {item.key}"
            )


async def write(
    connection: AsyncConnection,
    items: list[Item],
    definitions: Definitions,
    outcome: Outcome,
    uploads: ApiUploads,
) -> None:
    """A few statements, however many entities there are."""
    changed = [
        SavedEntity(item.id, item.owner_id, item.key, item.descriptor.entity)
        for item in items
        if _is_changed(item, outcome)
    ]
    await save_entities(connection, changed)
    await _write_relations(connection, items, outcome)
    await _write_definitions(connection, items, definitions, outcome, uploads)


def _is_changed(item: Item, outcome: Outcome) -> bool:
    """Whether the entity itself has to be written; notes its result."""
    number, entity = item.descriptor.number, item.descriptor.entity
    noted = ImportedEntity(**asdict(item.key), result="unchanged")
    outcome.items[number] = noted
    if item.stored is None:
        noted.result = "created"
        detail = entity.model_dump(mode="json", exclude_defaults=True)
        outcome.note("entity.create", str(item.key), entity=detail)
        return True
    detail = describe_change(item.stored.entity, entity)
    if detail:
        noted.result, noted.changes = "updated", [*detail["changed"]]
        outcome.note("entity.update", str(item.key), **detail)
    return bool(detail)


async def _write_relations(
    connection: AsyncConnection, items: list[Item], outcome: Outcome
) -> None:
    """Give each entity the relations of the file and no others."""
    current = await list_statements(connection, [item.id for item in items if item.stored])
    gone: list[tuple[uuid.UUID, Statement]] = []
    new: list[tuple[uuid.UUID, Statement]] = []
    for item in items:
        targets = item.descriptor.targets.values()
        wanted = {one._replace(other=one.other.folded): one for one in targets}
        before = current.get(item.id, set())
        gone += [(item.id, statement) for statement in before - wanted.keys()]
        new += [(item.id, wanted[statement]) for statement in wanted.keys() - before]
        if wanted.keys() != before:
            said = sorted(f"{'inverse ' * s.inverse}{s.type} {s.other}" for s in wanted.values())
            number = item.descriptor.number
            outcome.note("relation.replace", str(item.key), relations=said)
            outcome.change(number, "relations")
    await delete_statements(connection, gone)
    await add_statements(connection, new)


async def _write_definitions(
    connection: AsyncConnection,
    items: list[Item],
    definitions: Definitions,
    outcome: Outcome,
    uploads: ApiUploads,
) -> None:
    """Publish each document under the version that it names."""
    described = list(_documents(items, definitions))
    if not described:
        return
    before = await list_hashes(connection, [item.id for item, _, _ in described])
    changed: dict[tuple[uuid.UUID, str], Content] = {}
    replaced: list[bytes] = []
    for item, content, version in described:
        old = before[item.id].get(version)
        if old == content.sha256:
            continue
        changed[item.id, version] = content
        replaced += [old] if old else []
        number, target = item.descriptor.number, f"{item.key}/versions/{version}"
        hashes = {"before": old and old.hex(), "after": content.sha256.hex()}
        outcome.note(f"version.{'update' if old else 'create'}", target, sha256=hashes)
        outcome.change(number, "document")
    await uploads.publish(connection, changed, replaced)


def _documents(items: list[Item], definitions: Definitions) -> Iterator[tuple[Item, Content, str]]:
    for item in items:
        if checked := definitions.get(item.descriptor.number):
            yield item, *checked
