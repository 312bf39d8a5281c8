"""Teams and their members."""

from typing import Annotated

from fastapi import APIRouter, Path

from app.http.access import Access, ActorDep, MaybeActorDep, access, read_catalogue
from app.http.dependencies import TeamsDep
from app.models.sessions import Email
from app.models.teams import MemberIn, TeamChange, TeamIn, TeamList, TeamWithMembers
from app.models.texts import TeamName

router = APIRouter(prefix="/api/v1/teams", tags=["teams"])
_Name = Annotated[TeamName, Path(examples=["payments"])]
_Email = Annotated[Email, Path(examples=["ada@example.com"])]


@router.get("", **read_catalogue())
async def list_teams(teams: TeamsDep) -> TeamList:
    """All teams by name."""
    return TeamList(items=await teams.list_all())


@router.post("", status_code=201, **access(Access.ADMIN, errors=(409, 422)))
async def create_team(actor: ActorDep, teams: TeamsDep, wanted: TeamIn) -> TeamWithMembers:
    """Create a team without members."""
    return await teams.create(actor, wanted)


@router.get("/{name}", **read_catalogue(errors=(404, 422)))
async def get_team(actor: MaybeActorDep, teams: TeamsDep, name: _Name) -> TeamWithMembers:
    """A team; its members are shown to those who are signed in."""
    return await teams.get(actor, name)


@router.patch("/{name}", **access(Access.MEMBER, errors=(404, 422)))
async def change_team(
    actor: ActorDep, teams: TeamsDep, name: _Name, wanted: TeamChange
) -> TeamWithMembers:
    """Change a team's title or description; for its owners."""
    return await teams.change(actor, name, wanted)


@router.delete("/{name}", status_code=204, **access(Access.ADMIN, errors=(404, 409, 422)))
async def remove_team(actor: ActorDep, teams: TeamsDep, name: _Name) -> None:
    """Delete a team that owns nothing."""
    await teams.remove(actor, name)


@router.put(
    "/{name}/members/{email}",
    status_code=204,
    **access(Access.MEMBER, errors=(404, 409, 422)),
)
async def put_member(
    actor: ActorDep, teams: TeamsDep, name: _Name, email: _Email, wanted: MemberIn
) -> None:
    """Add someone to a team, or change their role in it; for its owners."""
    await teams.put_member(actor, name, email, wanted.role)


@router.delete(
    "/{name}/members/{email}",
    status_code=204,
    **access(Access.MEMBER, errors=(404, 409, 422)),
)
async def remove_member(actor: ActorDep, teams: TeamsDep, name: _Name, email: _Email) -> None:
    """Remove someone from a team; for its owners."""
    await teams.remove_member(actor, name, email)
