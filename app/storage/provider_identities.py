"""Accounts as the sign-in provider knows them, and the memberships that its groups give."""

import uuid
from collections.abc import Collection

from sqlalchemy import delete, exists, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.schema import AuditEvent, Membership, ProviderIdentity, Team

REGISTERED = "user.register"
"""The action of an account that somebody made without an administrator."""


async def find_identity(connection: AsyncConnection, issuer: str, subject: str) -> uuid.UUID | None:
    """The id of the account of that person."""
    query = select(ProviderIdentity.user_id)
    return await connection.scalar(
        query.where(ProviderIdentity.issuer == issuer, ProviderIdentity.subject == subject)
    )


async def add_identity(
    connection: AsyncConnection, issuer: str, subject: str, user_id: uuid.UUID
) -> bool:
    """Make the account that person's; False if either belongs to another already."""
    values = {"issuer": issuer, "subject": subject, "user_id": user_id}
    added = insert(ProviderIdentity).values(values).on_conflict_do_nothing()
    return await connection.scalar(added.returning(ProviderIdentity.user_id)) is not None


async def remove_identities(connection: AsyncConnection, user_id: uuid.UUID) -> None:
    """Forget as whom the provider knows the account's owner."""
    await connection.execute(delete(ProviderIdentity).where(ProviderIdentity.user_id == user_id))


async def was_registered(connection: AsyncConnection, email: str) -> bool:
    """Whether somebody made the account of that address without an administrator."""
    made = exists().where(AuditEvent.target == f"user:{email}", AuditEvent.action == REGISTERED)
    return bool(await connection.scalar(select(made)))


async def list_memberships(connection: AsyncConnection, user_id: uuid.UUID) -> dict[str, bool]:
    """The account's teams, and whether the provider's groups gave the membership."""
    query = (
        select(Team.name, Membership.from_provider)
        .join_from(Membership, Team, Team.id == Membership.team_id)
        .where(Membership.user_id == user_id)
    )
    return {row.name: row.from_provider for row in await connection.execute(query)}


async def join_teams(
    connection: AsyncConnection, user_id: uuid.UUID, names: Collection[str]
) -> list[str]:
    """Make the account a member, by the provider, of those of the teams that exist; their names."""
    columns = ("team_id", "user_id", "from_provider")
    found = select(Team.id, literal(user_id), literal(True)).where(Team.name.in_(names))
    joined = insert(Membership).from_select(columns, found).on_conflict_do_nothing()
    ids = list(await connection.scalars(joined.returning(Membership.team_id)))
    query = select(Team.name).where(Team.id.in_(ids)).order_by(Team.name)
    return list(await connection.scalars(query))


async def leave_teams(
    connection: AsyncConnection, user_id: uuid.UUID, names: Collection[str]
) -> None:
    """End those memberships that the provider's groups gave."""
    ids = select(Team.id).where(Team.name.in_(names))
    theirs = (Membership.user_id == user_id, Membership.from_provider)
    await connection.execute(delete(Membership).where(*theirs, Membership.team_id.in_(ids)))
