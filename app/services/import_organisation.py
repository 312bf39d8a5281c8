"""The teams and people of a catalog-info.yaml: who may own what it describes."""

import uuid
from collections.abc import Iterable, Iterator

from sqlalchemy.ext.asyncio import AsyncConnection

from app.models.access import Actor
from app.models.teams import TeamIn, TeamOut
from app.services.catalog_info import CatalogInfo
from app.services.import_outcome import Outcome
from app.services.organisation import Group, User
from app.storage.actor_cache import ActorCache
from app.storage.organisation import (
    Member,
    StoredPerson,
    add_members,
    add_people,
    find_people,
    list_places,
    lock_teams,
    name_person,
    save_teams,
)


async def bring(
    connection: AsyncConnection,
    actors: ActorCache,
    actor: Actor,
    info: CatalogInfo,
    outcome: Outcome,
) -> None:
    """Make groups teams, and users accounts and members; skip each if the actor may not."""
    if not may_bring(actor):
        _skip([*info.groups, *info.users], outcome)
        return
    teams = await _bring_teams(connection, info, outcome)
    people = await _bring_people(connection, info, outcome)
    wanted = _distinct(_members(info, teams, people, outcome))
    there = await list_places(connection, wanted)
    new = [member for member in wanted if (member.team, member.user_id) not in there]
    await actors.announce_change(*{member.user_id for member in new})
    await add_members(connection, new)
    emails = {person.id: person.email for person in people}
    for member in new:
        detail = {"email": emails[member.user_id], "role": member.role}
        outcome.note("team.member.put", f"team:{member.team}", **detail)
        number = wanted[member]
        if number is not None and "members" not in outcome.items[number].changes:
            outcome.change(number, "members")


def may_bring(actor: Actor) -> bool:
    """Whether the actor may change teams and accounts; no API key may."""
    return actor.role == "admin" and actor.scopes is None


def _skip(documents: Iterable[Group | User], outcome: Outcome) -> None:
    for one in documents:
        rule = "only an administrator who is signed in imports groups and users"
        outcome.warn(one.number, "kind", f"skipped: {rule}")
        outcome.add(one, "skipped")


async def _bring_teams(
    connection: AsyncConnection, info: CatalogInfo, outcome: Outcome
) -> set[str]:
    """Write the teams that the file describes or names; all of those that there are then."""
    described = {group.team.name: group.team for group in info.groups}
    own = {f"@{user.person.handle}" for user in info.users}
    named = {team: (number, place) for number, place, team in _named(info)}
    stored = await lock_teams(connection, {*described, *named, *own})
    added = [name for name in named if name not in described and name not in stored]
    for name in added:
        described[name] = TeamIn(name=name, title=name.removeprefix("@")[:100])
        if not name.startswith("@"):
            what = f"the team '{name}' is new, and nothing else is known of it"
            outcome.warn(*named[name], what)
    changes = {name: _changes(stored.get(name), team) for name, team in described.items()}
    for group in info.groups:
        changed = changes[group.team.name]
        if group.team.name not in stored:
            outcome.add(group, "created")
        else:
            outcome.add(group, "updated" if changed else "unchanged", changed)
    for name, changed in changes.items():
        if changed:
            action = "team.update" if name in stored else "team.create"
            outcome.note(action, f"team:{name}", **changed)
    await save_teams(connection, [described[name] for name, changed in changes.items() if changed])
    return {*stored, *described}


def _changes(before: TeamOut | None, team: TeamIn) -> dict[str, str]:
    old = before.model_dump() if before else {}
    return {name: value for name, value in team.model_dump().items() if old.get(name) != value}


def _named(info: CatalogInfo) -> Iterator[tuple[int, str, str]]:
    """Every team that something in the file belongs to, after the place that says so."""
    for descriptor in info.entities:
        yield descriptor.number, "spec.owner", descriptor.entity.owner
    for user in info.users:
        for place, team in user.teams.items():
            yield user.number, place, team


async def _bring_people(
    connection: AsyncConnection, info: CatalogInfo, outcome: Outcome
) -> list[StoredPerson]:
    emails = {user.person.email for user in info.users}
    handles = {user.person.handle for user in info.users}
    handles |= {handle for group in info.groups for handle in group.members.values()}
    handles |= {team[1:] for _, _, team in _named(info) if team.startswith("@")}
    known = await find_people(connection, emails, handles)
    missing = _missing(info, known)
    if missing:
        # They choose a password by a link, which an administrator makes for each.
        rows = [{**user.person.model_dump(), "role": "member"} for user in missing]
        await add_people(connection, rows)
    await _name_people(connection, info, known, missing, outcome)
    return await find_people(connection, emails, handles)


def _missing(info: CatalogInfo, known: list[StoredPerson]) -> list[User]:
    """Those who have no account yet, the first of each address."""
    emails = {person.email for person in known}
    handles = {person.handle for person in known}
    found = {user.person.email: user for user in reversed(info.users)}
    return [
        user
        for email, user in found.items()
        if email not in emails and user.person.handle not in handles
    ]


async def _name_people(
    connection: AsyncConnection,
    info: CatalogInfo,
    known: list[StoredPerson],
    added: list[User],
    outcome: Outcome,
) -> None:
    """Note each person's result; an account from before is known by its first name from now on."""
    handles = {person.email: person.handle for person in known}
    handles |= {user.person.email: user.person.handle for user in added}
    ids = {person.email: person.id for person in known}
    taken, new = set(handles.values()), {user.number for user in added}
    for user in info.users:
        email, handle = user.person.email, user.person.handle
        if user.number in new:
            outcome.add(user, "created")
            outcome.note("user.create", f"user:{email}", role="member")
        elif email not in handles:
            outcome.warn(user.number, "spec.profile.email", f"'{handle}' has another address here")
            outcome.add(user, "skipped")
        elif handles[email] is None and handle not in taken:
            await name_person(connection, ids[email], handle)
            handles[email] = handle
            taken.add(handle)
            outcome.add(user, "updated", ["name"])
        else:
            outcome.add(user, "unchanged")


def _members(
    info: CatalogInfo, teams: set[str], people: list[StoredPerson], outcome: Outcome
) -> Iterator[tuple[Member, int | None]]:
    """Who belongs where by the file, and the document that says so."""
    by_email = {person.email: person.id for person in people}
    by_handle = {person.handle: person.id for person in people if person.handle is not None}
    for handle, user_id in by_handle.items():
        if f"@{handle}" in teams:
            yield Member(f"@{handle}", user_id, "owner"), None
    for number, place, team in _named(info):
        if team.startswith("@") and team[1:] not in by_handle:
            outcome.warn(number, place, _unknown(team[1:]))
    for user in info.users:
        for team in user.teams.values():
            if user.person.email in by_email:
                yield Member(team, by_email[user.person.email], "member"), user.number
    for group in info.groups:
        for place, handle in group.members.items():
            if handle in by_handle:
                yield Member(group.team.name, by_handle[handle], "member"), group.number
            else:
                outcome.warn(group.number, place, _unknown(handle))


def _distinct(members: Iterable[tuple[Member, int | None]]) -> dict[Member, int | None]:
    """Each place in a team once, with the first role that is given there."""
    found: dict[tuple[str, uuid.UUID], tuple[Member, int | None]] = {}
    for member, number in members:
        found.setdefault((member.team, member.user_id), (member, number))
    return dict(found.values())


def _unknown(handle: str) -> str:
    return f"no account is known as '{handle}'. Import its User as well"
