"""Links by which the owner of an account chooses a password: invitations, and resets."""

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from app.config import Config
from app.exceptions import ConflictError, InvalidLinkError, InvalidRequestError
from app.models.access import Actor
from app.models.accounts import UserIn, UserOut
from app.services.accounts import require_account
from app.services.limits import Limits
from app.services.passwords import Passwords, check_new_password
from app.services.tokens import token_digest
from app.storage.accounts import add_account, find_account_by_email, list_users, set_password
from app.storage.actor_cache import ActorCache
from app.storage.audit import add_event
from app.storage.database import Database
from app.storage.organisation import lock_teams
from app.storage.password_links import find_link, put_link, take_link
from app.storage.teams import put_member

PASSWORD_LINK_PATH = "/password-link"
"""The page of a link, which has its token as `token`."""
_TOKEN_BYTES = 32


@dataclass(frozen=True)
class NewLink:
    """A link's token, which nothing keeps, and when it expires."""

    token: str
    expires_at: datetime

    @property
    def path(self) -> str:
        """Of the page that it leads to."""
        return f"{PASSWORD_LINK_PATH}?token={self.token}"


class PasswordLinks:
    """Administrators make them; the account's owner chooses the password by one, once."""

    def __init__(
        self,
        config: Config,
        database: Database,
        actors: ActorCache,
        passwords: Passwords,
        limits: Limits,
    ) -> None:
        self._lifetime = timedelta(hours=config.password_link_hours)
        self._database = database
        self._actors = actors
        self._passwords = passwords
        self._limits = limits

    async def invite(self, actor: Actor, wanted: UserIn) -> tuple[UserOut, NewLink]:
        """A new account without a password, and the link by which its owner chooses one.

        Raises
        ------
        ConflictError
            Raised when the address has an account.
        InvalidRequestError
            Raised for a team that does not exist.
        """
        async with self._database.connect() as connection:
            user_id = await add_account(
                connection,
                email=wanted.email,
                name=wanted.name,
                password_hash=None,
                role=wanted.role,
            )
            if user_id is None:
                raise ConflictError(f"{wanted.email} has an account already")
            there = await lock_teams(connection, wanted.teams)
            for team, role in wanted.teams.items():
                if team not in there:
                    raise InvalidRequestError(f"teams: there is no team '{team}'")
                await put_member(connection, team, user_id, role)
            detail = {"role": wanted.role, "teams": wanted.teams}
            target = f"user:{wanted.email}"
            await add_event(connection, actor, "user.create", target, detail)
            link = await self._make(connection, actor, user_id, wanted.email)
            [user] = await list_users(connection, only=user_id, limit=1)
        return user, link

    async def renew(self, actor: Actor, user_id: uuid.UUID) -> tuple[str, NewLink]:
        """The address of an account, and its new link; the one before is good no more.

        The password stays until the link is used.

        Raises
        ------
        NotFoundError
            Raised when there is no such account.
        ConflictError
            Raised when it is deactivated.
        """
        async with self._database.connect() as connection:
            account = await require_account(connection, user_id)
            if not account.is_active:
                raise ConflictError("the account is deactivated: activate it first")
            return account.email, await self._make(connection, actor, user_id, account.email)

    async def find(self, token: str) -> str:
        """The address of the account whose password the link sets.

        Raises
        ------
        InvalidLinkError
            Raised for a link that is not good, or not any more.
        TooManyRequestsError
            Raised when too many come from one address.
        """
        await self._limits.charge_address("password-link")
        async with self._database.connect() as connection:
            email = await find_link(connection, token_digest(token))
        if email is None:
            raise _no_link()
        return email

    async def use(self, token: str, password: str) -> None:
        """Set the password and end all sessions; the link is used up.

        Raises
        ------
        InvalidLinkError
            Raised for a link that is not good, or not any more.
        InvalidRequestError
            Raised for a password that is easy to guess.
        TooManyRequestsError
            Raised when too many come from one address.
        """
        email = await self.find(token)
        check_new_password(password, email=email)
        password_hash = await self._passwords.hash(password)
        async with self._database.connect() as connection:
            account = await find_account_by_email(connection, email)
            # Of two at once, and of one and a deactivation, the second finds no link.
            taken = await take_link(connection, token_digest(token))
            if account is None or taken != account.id:
                raise _no_link()
            await self._actors.announce_change(account.id)
            await set_password(connection, account.id, password_hash)
            await add_event(connection, None, "user.password-by-link", f"user:{email}")

    async def _make(
        self, connection: AsyncConnection, actor: Actor, user_id: uuid.UUID, email: str
    ) -> NewLink:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        expires_at = await put_link(
            connection, user_id, sha256=token_digest(token), lifetime=self._lifetime
        )
        detail = {"expires_at": expires_at.isoformat(timespec="seconds")}
        target = f"user:{email}"
        await add_event(connection, actor, "user.password-link", target, detail)
        return NewLink(token, expires_at)


def _no_link() -> InvalidLinkError:
    return InvalidLinkError(
        "it was used, replaced or taken back, or has expired: ask an administrator for another"
    )
