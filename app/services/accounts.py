"""Accounts: registration, passwords, roles and deactivation."""

import uuid

from sqlalchemy.ext.asyncio import AsyncConnection

from app.config import Config
from app.exceptions import ConflictError, ForbiddenError, NotFoundError, NotSignedInError
from app.models.access import Actor
from app.models.accounts import UserChange, UserOut, UserPage
from app.services.limits import Limits
from app.services.passwords import Passwords, check_new_password
from app.services.sessions import Sessions
from app.services.tokens import Tokens
from app.storage.accounts import (
    Account,
    WaysIn,
    add_account,
    change_account,
    count_other_admins,
    find_account,
    hold_epoch,
    list_users,
    next_epoch,
    set_password,
)
from app.storage.actor_cache import ActorCache
from app.storage.api_keys import hashes_of_keys, revoke_keys_of
from app.storage.audit import add_event
from app.storage.database import Database
from app.storage.key_cache import KeyCache
from app.storage.password_links import remove_link
from app.storage.provider_identities import REGISTERED, remove_identities


class Accounts:
    """Accounts and their roles."""

    def __init__(
        self,
        config: Config,
        database: Database,
        actors: ActorCache,
        keys: KeyCache,
        passwords: Passwords,
        sessions: Sessions,
        limits: Limits,
    ) -> None:
        self.ways = WaysIn(config.password_login_enabled, config.oidc_issuer)
        self._open = config.registration_open
        self._database = database
        self._actors = actors
        self._keys = keys
        self._passwords = passwords
        self._sessions = sessions
        self._limits = limits

    async def register(self, *, email: str, name: str, password: str) -> None:
        """Create an account for a viewer; does not reveal whether the address had one.

        Raises
        ------
        ForbiddenError
            Raised when registration is closed.
        InvalidRequestError
            Raised for a password that is easy to guess.
        """
        if not self._open:
            raise ForbiddenError("registration is closed: ask an administrator")
        await self._limits.charge_address("register")
        check_new_password(password, email=email)
        password_hash = await self._passwords.hash(password)
        async with self._database.connect() as connection:
            added = await add_account(
                connection, email=email, name=name, password_hash=password_hash, role="viewer"
            )
            action = REGISTERED if added else f"{REGISTERED}-again"
            await add_event(connection, None, action, f"user:{email}")

    async def change_password(self, actor: Actor, *, current: str, new: str, agent: str) -> Tokens:
        """Set the actor's password and end all sessions; returns the tokens of a new one.

        Raises
        ------
        ForbiddenError
            Raised when the current password is wrong.
        InvalidRequestError
            Raised for a password that is easy to guess, or is the current one.
        NotSignedInError
            Raised when the session was ended meanwhile.
        """
        await self._limits.charge_login(actor.email)
        async with self._database.connect() as connection:
            account = await require_account(connection, actor.user_id)
        if not await self._passwords.matches(current, account.password_hash):
            raise ForbiddenError("current_password: is wrong")
        check_new_password(new, email=actor.email)
        if new == current:
            raise ConflictError("new_password: should differ from the current one")
        password_hash = await self._passwords.hash(new)
        await self._actors.announce_change(actor.user_id)
        async with self._database.connect() as connection:
            await require_epoch(connection, actor)
            await set_password(connection, actor.user_id, password_hash)
            await add_event(connection, actor, "user.password", f"user:{actor.email}")
            changed = await require_account(connection, actor.user_id)
        return await self._sessions.open(changed, agent=agent)

    async def list_page(self, *, cursor: str | None, limit: int) -> UserPage:
        """Accounts by address; the cursor is the last address of the page before."""
        async with self._database.connect() as connection:
            items = await list_users(connection, after=cursor or "", limit=limit + 1)
        more = len(items) > limit
        items = items[:limit]
        return UserPage(items=items, next_cursor=items[-1].email if more else None)

    async def change(self, actor: Actor, user_id: uuid.UUID, wanted: UserChange) -> UserOut:
        """Change a role, or take access away; effective from the next request on.

        Deactivating ends sessions, API keys and a link to choose a password for good; forgetting
        the identity at the sign-in provider ends sessions.

        Raises
        ------
        NotFoundError
            Raised when there is no such account.
        ConflictError
            Raised when no administrator would be left.
        """
        values = wanted.model_dump(exclude_none=True)
        await self._actors.announce_change(user_id)
        async with self._database.connect() as connection:
            account = await require_account(connection, user_id)
            forgets = values.pop("has_identity", None) is False
            loses = wanted.is_active is False or wanted.role in ("member", "viewer") or forgets
            is_last = not await count_other_admins(connection, user_id, self.ways)
            if account.role == "admin" and loses and is_last:
                raise ConflictError("the last administrator has to remain one")
            if wanted.is_active is False:
                await self.end_credentials(connection, user_id)
            if forgets:
                await remove_identities(connection, user_id)
                values["session_epoch"] = next_epoch()
            if values:
                await change_account(connection, user_id, **values)
                await add_event(
                    connection,
                    actor,
                    "user.update",
                    f"user:{account.email}",
                    _describe_change(account, wanted),
                )
            [changed] = await list_users(connection, only=user_id, limit=1)
        return changed

    async def end_credentials(
        self, connection: AsyncConnection, user_id: uuid.UUID, *, with_password: bool = False
    ) -> None:
        """End sessions, API keys and a link to choose a password for good.

        The change has been announced.
        """
        password = {"password_hash": None, "must_change_password": False} if with_password else {}
        await change_account(connection, user_id, session_epoch=next_epoch(), **password)
        await self._keys.announce_revocation(*await hashes_of_keys(connection, user_id))
        await revoke_keys_of(connection, user_id)
        await remove_link(connection, user_id)


async def require_account(connection: AsyncConnection, user_id: uuid.UUID) -> Account:
    """The account of that id, whether active or not."""
    account = await find_account(connection, user_id)
    if account is None:
        raise NotFoundError("there is no such account")
    return account


async def require_epoch(connection: AsyncConnection, actor: Actor) -> None:
    """Before something that outlives a session: what ends the actor's comes before it or after it.

    Raises
    ------
    NotSignedInError
        Raised when they were ended meanwhile: what is made now would not end any more.
    """
    if not await hold_epoch(connection, actor.user_id, actor.session_epoch):
        raise NotSignedInError("the session has ended")


def _describe_change(account: Account, wanted: UserChange) -> dict[str, object]:
    return {
        name: {"from": getattr(account, name, True), "to": value}
        for name, value in wanted.model_dump(exclude_none=True).items()
    }
