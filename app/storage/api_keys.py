"""API keys in PostgreSQL."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import DateTime, Uuid, column, func, select, update, values
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models.api_keys import ApiKeyOut
from app.schema import ApiKey, User
from app.storage.accounts import ACCOUNT_COLUMNS, Account
from app.storage.key_cache import StoredKey

_COLUMNS = [getattr(ApiKey, name) for name in ApiKeyOut.model_fields]


async def find_key(connection: AsyncConnection, prefix: str) -> StoredKey | None:
    """The valid key of that prefix, whatever its owner's state."""
    query = (
        select(ApiKey.id, ApiKey.key_sha256, ApiKey.scopes, ApiKey.expires_at, *ACCOUNT_COLUMNS)
        .join_from(ApiKey, User, User.id == ApiKey.user_id)
        .where(ApiKey.prefix == prefix, ApiKey.revoked_at.is_(None), ApiKey.expires_at > func.now())
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    key_id, sha256, scopes, expires_at, *owner = tuple[Any, ...](row)
    good_until = expires_at.timestamp()
    return StoredKey(key_id, bytes(sha256), frozenset(scopes), good_until, Account(*owner))


async def add_key(
    connection: AsyncConnection,
    *,
    user_id: uuid.UUID,
    name: str,
    prefix: str,
    sha256: bytes,
    scopes: list[str],
    lifetime: timedelta,
) -> ApiKeyOut | None:
    """A new key; None if its prefix is another's."""
    row = {
        "user_id": user_id,
        "name": name,
        "prefix": prefix,
        "key_sha256": sha256,
        "scopes": scopes,
        "expires_at": func.now() + lifetime,
    }
    added = insert(ApiKey).values(row).on_conflict_do_nothing().returning(*_COLUMNS)
    row = (await connection.execute(added)).one_or_none()
    return None if row is None else ApiKeyOut.model_validate(row)


async def list_keys(connection: AsyncConnection, user_id: uuid.UUID) -> list[ApiKeyOut]:
    """A user's keys that were not revoked, newest first; also those that have expired."""
    query = select(*_COLUMNS).where(ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None))
    query = query.order_by(ApiKey.created_at.desc(), ApiKey.id)
    return [ApiKeyOut.model_validate(row) for row in await connection.execute(query)]


async def hash_of_key(
    connection: AsyncConnection, user_id: uuid.UUID, key_id: uuid.UUID
) -> bytes | None:
    """The hash of a user's key; None if there is no such key."""
    query = select(ApiKey.key_sha256).where(ApiKey.id == key_id, ApiKey.user_id == user_id)
    return await connection.scalar(query)


async def revoke_key(
    connection: AsyncConnection, user_id: uuid.UUID, key_id: uuid.UUID
) -> str | None:
    """Revoke a user's key; returns its prefix, or None if there is no such key."""
    revoked = (
        update(ApiKey)
        .where(ApiKey.id == key_id, ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(ApiKey.prefix)
    )
    return await connection.scalar(revoked)


async def hashes_of_keys(connection: AsyncConnection, user_id: uuid.UUID) -> list[bytes]:
    """The hashes of a user's keys that were not revoked."""
    query = select(ApiKey.key_sha256).where(ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None))
    return list(await connection.scalars(query))


async def revoke_keys_of(connection: AsyncConnection, user_id: uuid.UUID) -> None:
    """Revoke every key of a user's."""
    unrevoked = update(ApiKey).where(ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None))
    await connection.execute(unrevoked.values(revoked_at=func.now()))


async def record_uses(connection: AsyncConnection, uses: Mapping[uuid.UUID, datetime]) -> None:
    """Set the times of last use in one statement; never to an earlier time."""
    used = values(column("id", Uuid), column("at", DateTime(timezone=True)), name="used").data(
        list(uses.items())
    )
    newest = func.greatest(ApiKey.last_used_at, used.c.at)
    await connection.execute(
        update(ApiKey).where(ApiKey.id == used.c.id).values(last_used_at=newest)
    )
