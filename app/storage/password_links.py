"""Links to choose a password, in PostgreSQL: one for each account, by the hash of its token."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.schema import PasswordLink, User


async def put_link(
    connection: AsyncConnection, user_id: uuid.UUID, *, sha256: bytes, lifetime: timedelta
) -> datetime:
    """A link in place of the one that the account may have; returns when it expires."""
    values = {"token_sha256": sha256, "expires_at": func.now() + lifetime}
    put = insert(PasswordLink).values(user_id=user_id, **values)
    put = put.on_conflict_do_update(index_elements=[PasswordLink.user_id], set_=values)
    expires_at = await connection.scalar(put.returning(PasswordLink.expires_at))
    assert expires_at is not None
    return expires_at


async def find_link(connection: AsyncConnection, sha256: bytes) -> str | None:
    """The address of the active account that the link is for, if it has not expired."""
    query = select(User.email).join(PasswordLink, PasswordLink.user_id == User.id)
    return await connection.scalar(query.where(_is_good(sha256), User.is_active))


async def take_link(connection: AsyncConnection, sha256: bytes) -> uuid.UUID | None:
    """Use a link up; returns its account, None for a link that is not good or not any more."""
    taken = delete(PasswordLink).where(_is_good(sha256)).returning(PasswordLink.user_id)
    return await connection.scalar(taken)


async def remove_link(connection: AsyncConnection, user_id: uuid.UUID) -> None:
    """Take an account's link back."""
    await connection.execute(delete(PasswordLink).where(PasswordLink.user_id == user_id))


def _is_good(sha256: bytes) -> ColumnElement[bool]:
    return and_(PasswordLink.token_sha256 == sha256, PasswordLink.expires_at > func.now())
