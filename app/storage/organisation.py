"""Teams, people and who belongs where, many at a time."""

import uuid
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models.access import TeamRole
from app.models.teams import TeamIn, TeamOut
from app.schema import Membership, Team, User


class StoredPerson(NamedTuple):
    """An account, as an import knows it."""

    id: uuid.UUID
    email: str
    handle: str | None


class Member(NamedTuple):
    """Somebody in a team."""

    team: str
    user_id: uuid.UUID
    role: TeamRole


async def lock_teams(connection: AsyncConnection, names: Collection[str]) -> dict[str, TeamOut]:
    """Those of the teams that exist, held until the transaction ends."""
    statement = select(Team.name, Team.title, Team.description).where(Team.name.in_(names))
    rows = await connection.execute(statement.order_by(Team.name).with_for_update(key_share=True))
    return {row.name: TeamOut.model_validate(row) for row in rows}


async def save_teams(connection: AsyncConnection, teams: Sequence[TeamIn]) -> None:
    """Add teams, or give those that exist this title and description."""
    if not teams:
        return
    adding = insert(Team)
    replaced = {name: adding.excluded[name] for name in ("title", "description")}
    saved = adding.on_conflict_do_update(index_elements=[Team.name], set_=replaced)
    await connection.execute(saved.returning(Team.id), [team.model_dump() for team in teams])


async def find_people(
    connection: AsyncConnection, emails: Collection[str], handles: Collection[str]
) -> list[StoredPerson]:
    """Accounts with one of the addresses or one of the names."""
    columns = (User.id, User.email, User.handle)
    known = or_(User.email.in_(emails), User.handle.in_(handles))
    rows = await connection.execute(select(*columns).where(known).order_by(User.email))
    return [StoredPerson(*row) for row in rows]


async def add_people(connection: AsyncConnection, people: Sequence[dict[str, Any]]) -> None:
    """Add accounts; one whose address has an account already is left as it is."""
    if people:
        added = insert(User).on_conflict_do_nothing().returning(User.id)
        await connection.execute(added, people)


async def name_person(connection: AsyncConnection, user_id: uuid.UUID, handle: str) -> None:
    """Know an account by its name in the catalogue."""
    await connection.execute(update(User).where(User.id == user_id).values(handle=handle))


async def add_members(connection: AsyncConnection, members: Collection[Member]) -> None:
    """Put people into teams; who is in one keeps their role."""
    if not members:
        return
    teams = select(Team.name, Team.id).where(Team.name.in_({member.team for member in members}))
    ids = {row.name: row.id for row in await connection.execute(teams)}
    rows = [{"team_id": ids[m.team], "user_id": m.user_id, "role": m.role} for m in members]
    added = insert(Membership).on_conflict_do_nothing().returning(Membership.team_id)
    await connection.execute(added, rows)


async def list_places(
    connection: AsyncConnection, members: Collection[Member]
) -> set[tuple[str, uuid.UUID]]:
    """Which of these are there already: teams and the people in them."""
    wanted = [(member.team, member.user_id) for member in members]
    statement = (
        select(Team.name, Membership.user_id)
        .join_from(Membership, Team, Team.id == Membership.team_id)
        .where(tuple_(Team.name, Membership.user_id).in_(wanted))
    )
    return {(row.name, row.user_id) for row in await connection.execute(statement)}
