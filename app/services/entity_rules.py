"""Rules for every change of an entity, its documents and pages."""

import uuid
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.exceptions import ChangedMeanwhileError, ForbiddenError, InvalidRequestError, NotFoundError
from app.lines import shorten
from app.models.access import Actor
from app.models.entities import EntityChange, EntityKey, EntityOut
from app.storage.entities import StoredEntity, find_teams, get_entity

_MAX_SHOWN_CHARACTERS = 1000
"""The audit trail shows what changed; it is not a second copy of large texts."""


def entity_tag(stored: StoredEntity) -> str:
    """The ETag of an entity; one that is created again after its removal has another."""
    return f'"{stored.id.hex[:12]}-{stored.entity.version}"'


def check_owner(actor: Actor, owner: str) -> None:
    """Raise unless the actor may change what that team owns."""
    if not actor.may_change(owner):
        raise ForbiddenError(f"only members of the team '{owner}' may do this")


def check_version(if_match: str, current: str) -> None:
    """Raise unless `If-Match` names the current version.

    A weak tag counts as the strong one: Nginx weakens the tags of what it compresses.
    """
    given = [tag.strip().removeprefix("W/") for tag in if_match.split(",")]
    if "*" not in given and current not in given:
        raise ChangedMeanwhileError(
            f"If-Match: should be the current {current} (got {if_match}). "
            "Read it again, and send the change for the current version."
        )


async def require_entity(
    connection: AsyncConnection, key: EntityKey, *, lock: bool = False
) -> StoredEntity:
    """The entity; with `lock`, locked against other changes until the transaction ends."""
    stored = await get_entity(connection, key, lock=lock)
    if stored is None:
        raise NotFoundError(f"there is no {key.kind} '{key.namespace}/{key.name}'")
    return stored


async def require_owned(
    connection: AsyncConnection, actor: Actor, key: EntityKey, *, lock: bool = True
) -> StoredEntity:
    """The same, if the actor may change it."""
    stored = await require_entity(connection, key, lock=lock)
    check_owner(actor, stored.entity.owner)
    return stored


async def find_owner(connection: AsyncConnection, name: str) -> uuid.UUID:
    """The id of the owning team."""
    found = (await find_teams(connection, [name])).get(name)
    if found is None:
        raise InvalidRequestError(f"owner: should name a team that exists (got '{name}')")
    return found


def describe_change(before: EntityOut, change: EntityChange) -> dict[str, Any]:
    """The fields that change, each with its value before and after; empty for no change."""
    old = before.model_dump(mode="json")
    new = change.model_dump(mode="json")
    changed = {
        name: {"before": _shorten(old[name]), "after": _shorten(value)}
        for name, value in new.items()
        if old[name] != value
    }
    return {"changed": changed} if changed else {}


def _shorten(value: Any) -> Any:
    text = str(value)
    return value if len(text) <= _MAX_SHOWN_CHARACTERS else shorten(text, _MAX_SHOWN_CHARACTERS)
