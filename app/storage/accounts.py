"""Accounts in PostgreSQL."""

import uuid
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, false, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models.access import Role, TeamRole
from app.models.accounts import UserOut
from app.schema import Membership, PasswordLink, ProviderIdentity, Team, User


@dataclass(frozen=True)
class Account:
    """Everything about a user's access; `teams` by name."""

    id: uuid.UUID
    email: str
    name: str
    password_hash: str | None
    role: Role
    is_active: bool
    must_change_password: bool
    session_epoch: int
    teams: dict[str, TeamRole]


_TEAMS = (
    select(func.coalesce(func.jsonb_object_agg(Team.name, Membership.role), text("'{}'::jsonb")))
    .join_from(Membership, Team, Team.id == Membership.team_id)
    .where(Membership.user_id == User.id)
    .correlate(User)
    .scalar_subquery()
    .label("teams")
)
ACCOUNT_COLUMNS = [
    _TEAMS if field.name == "teams" else getattr(User, field.name) for field in fields(Account)
]


async def find_account(connection: AsyncConnection, user_id: uuid.UUID) -> Account | None:
    """The account of that id, whether active or not."""
    return await _find(connection, select(*ACCOUNT_COLUMNS).where(User.id == user_id))


async def find_account_by_email(connection: AsyncConnection, email: str) -> Account | None:
    """The account of that address, whether active or not."""
    return await _find(connection, select(*ACCOUNT_COLUMNS).where(User.email == email))


async def add_account(
    connection: AsyncConnection, *, email: str, name: str, password_hash: str | None, role: Role
) -> uuid.UUID | None:
    """A new account's id; None if there is one of that address."""
    values = {"email": email, "name": name, "password_hash": password_hash, "role": role}
    added = insert(User).values(values).on_conflict_do_nothing().returning(User.id)
    return await connection.scalar(added)


async def change_account(
    connection: AsyncConnection, user_id: uuid.UUID, **values: Any
) -> int | None:
    """Set columns; returns the account's session epoch, None if there is no such account."""
    changed = update(User).where(User.id == user_id).values(values).returning(User.session_epoch)
    return await connection.scalar(changed)


def next_epoch() -> Any:
    """A value for `session_epoch` that ends all sessions of the account."""
    return User.session_epoch + 1


async def hold_epoch(connection: AsyncConnection, user_id: uuid.UUID, epoch: int) -> bool:
    """Whether the account's sessions of that epoch go on; they do until the transaction ends."""
    held = select(User.id).where(User.id == user_id, User.session_epoch == epoch)
    return await connection.scalar(held.with_for_update(key_share=True)) is not None


async def set_password(connection: AsyncConnection, user_id: uuid.UUID, password_hash: str) -> None:
    """The password that the account's owner has chosen; all sessions end."""
    await change_account(
        connection,
        user_id,
        password_hash=password_hash,
        must_change_password=False,
        password_changed_at=func.now(),
        session_epoch=next_epoch(),
    )


async def renew_hash(connection: AsyncConnection, user_id: uuid.UUID, old: str, new: str) -> None:
    """Another hash of the same password, unless it was changed meanwhile."""
    same = update(User).where(User.id == user_id, User.password_hash == old)
    await connection.execute(same.values(password_hash=new))


async def list_users(
    connection: AsyncConnection, *, after: str = "", only: uuid.UUID | None = None, limit: int
) -> list[UserOut]:
    """Accounts behind an address, in order; or the one of an id."""
    has_password = User.password_hash.is_not(None).label("has_password")
    expires_at = PasswordLink.expires_at.label("link_expires_at")
    # A link that has expired is none any more.
    is_good = (PasswordLink.user_id == User.id) & (PasswordLink.expires_at > func.now())
    identities = select(ProviderIdentity.user_id).where(ProviderIdentity.user_id == User.id)
    has_identity = identities.exists().label("has_identity")
    more = (has_password, has_identity, expires_at, User.created_at)
    query = select(*ACCOUNT_COLUMNS, *more).select_from(User)
    query = query.outerjoin(PasswordLink, is_good).order_by(User.email).limit(limit)
    query = query.where(User.email > after if only is None else User.id == only)
    return [UserOut.model_validate(row) for row in await connection.execute(query)]


@dataclass(frozen=True)
class WaysIn:
    """How people sign in: with a password, at the provider of that issuer, or both."""

    by_password: bool
    issuer: str | None


async def count_other_admins(connection: AsyncConnection, user_id: uuid.UUID, ways: WaysIn) -> int:
    """Others who can sign in as administrators; until the transaction's end they stay so."""
    has_password = User.password_hash.is_not(None) if ways.by_password else false()
    query = (
        select(User.id)
        .where(User.role == "admin", User.is_active, or_(has_password, _is_known_at(ways.issuer)))
        .order_by(User.id)
        .with_for_update()
    )
    admins = list(await connection.scalars(query))
    return len([admin for admin in admins if admin != user_id])


def _is_known_at(issuer: str | None) -> ColumnElement[bool]:
    identity = ProviderIdentity
    return exists().where(identity.user_id == User.id, identity.issuer == issuer).correlate(User)


async def _find(connection: AsyncConnection, query: Select[*tuple[Any, ...]]) -> Account | None:
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else Account(**row._mapping)
