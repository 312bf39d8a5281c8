"""Teams and their members, in PostgreSQL."""

import uuid
from typing import Any

from sqlalchemy import delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models.access import TeamRole
from app.models.teams import TeamMember, TeamOut
from app.schema import Entity, Membership, Team, User

_COLUMNS = (Team.name, Team.title, Team.description)


async def list_teams(connection: AsyncConnection) -> list[TeamOut]:
    """All teams by name."""
    rows = await connection.execute(select(*_COLUMNS).order_by(Team.name))
    return [TeamOut.model_validate(row) for row in rows]


async def get_team(connection: AsyncConnection, name: str) -> TeamOut | None:
    """The team of that name."""
    row = (await connection.execute(select(*_COLUMNS).where(Team.name == name))).one_or_none()
    return None if row is None else TeamOut.model_validate(row)


async def add_team(connection: AsyncConnection, values: dict[str, Any]) -> bool:
    """A new team; False if there is one of that name."""
    added = insert(Team).values(values).on_conflict_do_nothing().returning(Team.id)
    return await connection.scalar(added) is not None


async def change_team(connection: AsyncConnection, name: str, values: dict[str, Any]) -> bool:
    """Set columns; False if there is no such team."""
    changed = update(Team).where(Team.name == name).values(values).returning(Team.id)
    return await connection.scalar(changed) is not None


async def lock_team(connection: AsyncConnection, name: str) -> bool:
    """Whether there is such a team; nothing comes to be its own until the transaction ends."""
    held = select(Team.id).where(Team.name == name).with_for_update()
    return await connection.scalar(held) is not None


async def owns_entities(connection: AsyncConnection, name: str) -> bool:
    """Whether the team owns any entity."""
    owned = exists().where(Entity.owner_id == Team.id, Team.name == name)
    return bool(await connection.scalar(select(owned)))


async def remove_team(connection: AsyncConnection, name: str) -> None:
    """Delete a team that owns nothing."""
    await connection.execute(delete(Team).where(Team.name == name))


async def list_members(connection: AsyncConnection, name: str) -> list[TeamMember]:
    """The members of a team, by address."""
    query = (
        select(User.email, User.name, Membership.role)
        .join_from(Membership, Team, Team.id == Membership.team_id)
        .join(User, User.id == Membership.user_id)
        .where(Team.name == name)
        .order_by(User.email)
    )
    return [TeamMember.model_validate(row) for row in await connection.execute(query)]


async def member_ids(connection: AsyncConnection, name: str) -> list[uuid.UUID]:
    """The members of a team, locked against changes until the transaction ends."""
    query = (
        select(Membership.user_id)
        .join_from(Membership, Team, Team.id == Membership.team_id)
        .where(Team.name == name)
        .with_for_update()
    )
    return list(await connection.scalars(query))


async def put_member(
    connection: AsyncConnection, name: str, user_id: uuid.UUID, role: TeamRole
) -> None:
    """Add someone to a team, or change their role in it; the sign-in provider has no say then."""
    team_id = select(Team.id).where(Team.name == name).scalar_subquery()
    values = {"role": role, "from_provider": False}
    put = insert(Membership).values(team_id=team_id, user_id=user_id, **values)
    await connection.execute(
        put.on_conflict_do_update(index_elements=["team_id", "user_id"], set_=values)
    )


async def remove_member(connection: AsyncConnection, name: str, user_id: uuid.UUID) -> bool:
    """Remove someone from a team; False if they are not in it."""
    team_id = select(Team.id).where(Team.name == name).scalar_subquery()
    removed = (
        delete(Membership)
        .where(Membership.team_id == team_id, Membership.user_id == user_id)
        .returning(Membership.user_id)
    )
    return await connection.scalar(removed) is not None
