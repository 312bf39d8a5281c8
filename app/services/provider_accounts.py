"""Whose account it is when the sign-in provider names a person, with what its groups give."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.config import Config
from app.exceptions import SignInRefusedError
from app.models.access import Role
from app.models.sessions import Email, PersonName
from app.services.accounts import Accounts
from app.services.sessions import actor_of
from app.storage.accounts import (
    Account,
    add_account,
    change_account,
    count_other_admins,
    find_account,
    find_account_by_email,
)
from app.storage.actor_cache import ActorCache
from app.storage.audit import Event, add_events
from app.storage.database import Database
from app.storage.provider_identities import (
    add_identity,
    find_identity,
    join_teams,
    leave_teams,
    list_memberships,
    was_registered,
)

_EMAIL: TypeAdapter[str] = TypeAdapter(Email)
_NAME: TypeAdapter[str] = TypeAdapter(PersonName)
_MAX_SUBJECT_CHARACTERS = 255
_ROLES: tuple[Role, ...] = ("admin", "member", "viewer")
BY_PROVIDER = {"by": "oidc"}
"""Tells in the audit trail's details what the provider has caused."""


@dataclass(frozen=True)
class Person:
    """Somebody as the provider describes them; an address that is not verified is none."""

    issuer: str
    subject: str
    email: str | None
    name: str
    groups: frozenset[str]

    @classmethod
    def of(cls, config: Config, issuer: str, claims: Mapping[str, Any]) -> "Person":
        """By the verified claims.

        Raises
        ------
        SignInRefusedError
            Raised for a subject that OpenID Connect does not allow.
        """
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= _MAX_SUBJECT_CHARACTERS:
            raise SignInRefusedError(
                "the sign-in provider does not say who you are", reason="sub is not valid"
            )
        # Some providers spell it as text.
        verified = claims.get("email_verified", config.oidc_email_trusted) in (True, "true")
        groups = claims.get(config.oidc_groups_claim)
        listed = [groups] if isinstance(groups, str) else groups
        return cls(
            issuer=issuer,
            subject=subject,
            email=_read(_EMAIL, claims.get("email")) if verified else None,
            name=_read(_NAME, claims.get("name")) or "",
            groups=frozenset(g for g in listed if isinstance(g, str))
            if isinstance(listed, list)
            else frozenset(),
        )


class ProviderAccounts:
    """Finds, adopts and makes the accounts of people who sign in at the provider."""

    def __init__(
        self, config: Config, database: Database, actors: ActorCache, accounts: Accounts
    ) -> None:
        self._teams = config.oidc_teams
        self._roles = config.oidc_roles
        self._database = database
        self._actors = actors
        self._accounts = accounts

    async def admit(self, person: Person) -> Account:
        """The person's account, with the role and the teams of their groups.

        The first time it is the account of their verified address, or a new one.

        Raises
        ------
        SignInRefusedError
            Raised for an address that is not verified or whose account is another person's, and for
            an account that is deactivated.
        """
        async with self._database.connect() as connection:
            user_id = await find_identity(connection, person.issuer, person.subject)
            account = await find_account(connection, user_id) if user_id else None
            if account is None:
                account = await self._take_account(connection, person)
            if not account.is_active:
                raise _deactivated(account)
            events = [
                *await self._update_role(connection, account, person),
                *await self._update_teams(connection, account, person),
            ]
            await add_events(connection, actor_of(account, None), events)
            found = await find_account(connection, account.id)
        assert found is not None
        # An administrator may have been quicker.
        if not found.is_active:
            raise _deactivated(found)
        return found

    async def _take_account(self, connection: AsyncConnection, person: Person) -> Account:
        """The account of the person's address, theirs from now on."""
        if person.email is None:
            raise SignInRefusedError(
                "the sign-in provider has not verified your e-mail address: ask its administrator",
                reason="no verified address",
            )
        added = await add_account(
            connection, email=person.email, name=person.name, password_hash=None, role="viewer"
        )
        account = await find_account_by_email(connection, person.email)
        assert account is not None
        if not account.is_active:
            raise _deactivated(account)
        identity = (person.issuer, person.subject)
        is_theirs = await add_identity(connection, *identity, account.id)
        # The same person may have come by another window meanwhile.
        if not is_theirs and await find_identity(connection, *identity) != account.id:
            raise SignInRefusedError(
                "the account of your e-mail address belongs to another person at the sign-in "
                "provider: ask an administrator",
                reason="the account has another subject",
                email=account.email,
            )
        if added is None:
            await self._end_strangers_credentials(connection, account)
        action = "user.create" if added else "user.identity"
        detail = {"issuer": person.issuer, "subject": person.subject, **BY_PROVIDER}
        event = Event(action, f"user:{account.email}", detail)
        await add_events(connection, actor_of(account, None), [event])
        return account

    async def _end_strangers_credentials(
        self, connection: AsyncConnection, account: Account
    ) -> None:
        """What may be somebody else's: nobody has verified the address of a registration."""
        await self._actors.announce_change(account.id)
        if await was_registered(connection, account.email):
            await self._accounts.end_credentials(connection, account.id, with_password=True)
        elif account.must_change_password:
            values = {"password_hash": None, "must_change_password": False}
            await change_account(connection, account.id, **values)

    async def _update_role(
        self, connection: AsyncConnection, account: Account, person: Person
    ) -> list[Event]:
        if not self._roles:
            return []
        given = {role for group, role in self._roles.items() if group in person.groups}
        role = next((role for role in _ROLES if role in given), "viewer")
        if role == account.role:
            return []
        change: dict[str, Any] = {"role": {"from": account.role, "to": role}, **BY_PROVIDER}
        target = f"user:{account.email}"
        ways = self._accounts.ways
        if account.role == "admin" and not await count_other_admins(connection, account.id, ways):
            return [Event("user.update.refuse", target, {**change, "reason": "last administrator"})]
        await self._actors.announce_change(account.id)
        await change_account(connection, account.id, role=role)
        return [Event("user.update", target, change)]

    async def _update_teams(
        self, connection: AsyncConnection, account: Account, person: Person
    ) -> list[Event]:
        """Memberships that the provider gave follow its groups; those made by hand stay."""
        wanted = self._teams_of(person)
        had = await list_memberships(connection, account.id)
        left = sorted(name for name, given in had.items() if given and name not in wanted)
        if not left and wanted <= set(had):
            return []
        await self._actors.announce_change(account.id)
        await leave_teams(connection, account.id, left)
        joined = await join_teams(connection, account.id, wanted - set(had))
        detail = {"email": account.email, **BY_PROVIDER}
        return [
            *(Event("team.member.delete", f"team:{name}", detail) for name in left),
            *(Event("team.member.put", f"team:{name}", detail) for name in joined),
        ]

    def _teams_of(self, person: Person) -> set[str]:
        if self._teams:
            return {team for group, team in self._teams.items() if group in person.groups}
        # A team of one person's own is nobody else's, whatever a group is called.
        return {group for group in person.groups if not group.startswith("@")}


def _read(kind: TypeAdapter[str], value: object) -> str | None:
    try:
        return kind.validate_python(value)
    except ValidationError:
        return None


def _deactivated(account: Account) -> SignInRefusedError:
    return SignInRefusedError(
        "your account is deactivated: ask an administrator",
        reason="the account is deactivated",
        email=account.email,
    )
