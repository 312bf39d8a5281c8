"""Teams, which own the entities of the catalogue."""

from sqlalchemy.ext.asyncio import AsyncConnection

from app.exceptions import ConflictError, ForbiddenError, NotFoundError
from app.models.access import Actor, TeamRole
from app.models.teams import TeamChange, TeamIn, TeamOut, TeamWithMembers
from app.storage import teams as storage
from app.storage.accounts import Account, find_account_by_email
from app.storage.actor_cache import ActorCache
from app.storage.audit import add_event
from app.storage.database import Database


class Teams:
    """Administrators create and remove teams; their owners manage the rest."""

    def __init__(self, database: Database, actors: ActorCache) -> None:
        self._database = database
        self._actors = actors

    async def list_all(self) -> list[TeamOut]:
        """All teams by name."""
        async with self._database.connect() as connection:
            return await storage.list_teams(connection)

    async def get(self, actor: Actor | None, name: str) -> TeamWithMembers:
        """A team; its members only for actors who are signed in.

        Raises
        ------
        NotFoundError
            Raised when there is no such team.
        """
        async with self._database.connect() as connection:
            team = await storage.get_team(connection, name)
            if team is None:
                raise _no_team(name)
            members = await storage.list_members(connection, name) if actor else None
        return TeamWithMembers(**team.model_dump(), members=members)

    async def create(self, actor: Actor, wanted: TeamIn) -> TeamWithMembers:
        """A new team, without members.

        Raises
        ------
        ConflictError
            Raised when there is a team of that name.
        """
        async with self._database.connect() as connection:
            if not await storage.add_team(connection, wanted.model_dump()):
                raise ConflictError(f"there is a team '{wanted.name}' already")
            await add_event(connection, actor, "team.create", f"team:{wanted.name}")
        return TeamWithMembers(**wanted.model_dump(), members=[])

    async def change(self, actor: Actor, name: str, wanted: TeamChange) -> TeamWithMembers:
        """Change a team's title or description.

        Raises
        ------
        ForbiddenError
            Raised for actors that may not manage the team.
        NotFoundError
            Raised when there is no such team.
        """
        values = wanted.model_dump(exclude_none=True)
        async with self._database.connect() as connection:
            await self._check_decides(connection, actor, name)
            if values:
                await storage.change_team(connection, name, values)
                await add_event(connection, actor, "team.update", f"team:{name}", values)
        return await self.get(actor, name)

    async def remove(self, actor: Actor, name: str) -> None:
        """Delete a team that owns nothing.

        Raises
        ------
        NotFoundError
            Raised when there is no such team.
        ConflictError
            Raised when the team owns an entity.
        """
        async with self._database.connect() as connection:
            if not await storage.lock_team(connection, name):
                raise _no_team(name)
            if await storage.owns_entities(connection, name):
                raise ConflictError("the team owns entities: give them to another team first")
            await self._actors.announce_change(*await storage.member_ids(connection, name))
            await storage.remove_team(connection, name)
            await add_event(connection, actor, "team.delete", f"team:{name}")

    async def put_member(self, actor: Actor, name: str, email: str, role: TeamRole) -> None:
        """Add someone to a team, or change their role in it.

        Raises
        ------
        ForbiddenError
            Raised for actors that may not manage the team.
        NotFoundError
            Raised when there is no such team or account.
        ConflictError
            Raised when the team would be left without an owner.
        """
        async with self._database.connect() as connection:
            await self._check_decides(connection, actor, name)
            account = await self._find_account(connection, email)
            await storage.member_ids(connection, name)
            if role != "owner":
                await _check_another_owner(connection, name, email)
            await self._actors.announce_change(account.id)
            await storage.put_member(connection, name, account.id, role)
            await add_event(
                connection, actor, "team.member.put", f"team:{name}", {"email": email, "role": role}
            )

    async def remove_member(self, actor: Actor, name: str, email: str) -> None:
        """Remove someone from a team.

        Raises
        ------
        ForbiddenError
            Raised for actors that may not manage the team.
        NotFoundError
            Raised when there is no such team, or no member of that address.
        ConflictError
            Raised when the team would be left without an owner.
        """
        async with self._database.connect() as connection:
            await self._check_decides(connection, actor, name)
            account = await self._find_account(connection, email)
            await storage.member_ids(connection, name)
            await _check_another_owner(connection, name, email)
            await self._actors.announce_change(account.id)
            if not await storage.remove_member(connection, name, account.id):
                raise NotFoundError("the team has no member of this address")
            await add_event(
                connection, actor, "team.member.delete", f"team:{name}", {"email": email}
            )

    async def _check_decides(self, connection: AsyncConnection, actor: Actor, name: str) -> None:
        if not await storage.lock_team(connection, name):
            raise _no_team(name)
        if not actor.may_manage(name):
            raise ForbiddenError(f"this needs an owner of the team '{name}'")

    async def _find_account(self, connection: AsyncConnection, email: str) -> Account:
        account = await find_account_by_email(connection, email)
        if account is None:
            raise NotFoundError("there is no account of this address")
        return account


async def _check_another_owner(connection: AsyncConnection, name: str, email: str) -> None:
    owners = [
        member.email
        for member in await storage.list_members(connection, name)
        if member.role == "owner"
    ]
    if owners == [email]:
        raise ConflictError("the last owner of a team has to remain one")


def _no_team(name: str) -> NotFoundError:
    return NotFoundError(f"there is no team '{name}'")
