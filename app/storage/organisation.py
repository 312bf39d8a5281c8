"""Teams, people and who belongs where, many at a time."""

import uuid
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models.access import TeamRole
from app.models.teams import TeamIn, TeamOut
from app.schema import Membership, Team, User

_WANTED = (
    func.unnest(bindparam("teams", type_=ARRAY(Text)), bindparam("user_ids", type_=ARRAY(Uuid)))
    .table_valued("team", "user_id", name="wanted")
    .render_derived()
)
# PostgreSQL takes `IN` of so many pairs for a tree that is deeper than its stack.
_PLACES = (
    select(Team.name, Membership.user_id)
    .join_from(Membership, Team, Team.id == Membership.team_id)
    .join(_WANTED, and_(Team.name == _WANTED.c.team, Membership.user_id == _WANTED.c.user_id))
)


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
    statement = select(Team.name, Team.title, Team.description).where(_is_one_of(Team.name, names))
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
    known = or_(_is_one_of(User.email, emails), _is_one_of(User.handle, handles))
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
    """Put people into teams, whatever the sign-in provider says; who is in one keeps their role."""
    if not members:
        return
    names = {member.team for member in members}
    teams = select(Team.name, Team.id).where(_is_one_of(Team.name, names))
    ids = {row.name: row.id for row in await connection.execute(teams)}
    rows = [{"team_id": ids[m.team], "user_id": m.user_id, "role": m.role} for m in members]
    added = insert(Membership).on_conflict_do_update(
        index_elements=["team_id", "user_id"],
        set_={"from_provider": False},
        where=Membership.from_provider.is_(True),
    )
    await connection.execute(added.returning(Membership.team_id), rows)


async def list_places(
    connection: AsyncConnection, members: Collection[Member]
) -> set[tuple[str, uuid.UUID]]:
    """Which of these are there already: teams and the people in them."""
    wanted = {
        "teams": [member.team for member in members],
        "user_ids": [member.user_id for member in members],
    }
    return {(row.name, row.user_id) for row in await connection.execute(_PLACES, wanted)}


def _is_one_of(column: Any, values: Collection[str]) -> ColumnElement[bool]:
    """As `IN`, which has a parameter for each value: the driver sends 65,535 at most."""
    found: ColumnElement[bool] = column == any_(literal([*values], ARRAY(Text)))
    return found
