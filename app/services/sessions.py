"""Sessions go on by refresh tokens and end everywhere immediately."""

import time
import uuid
from datetime import UTC, datetime

from app.constants import SESSION_SECONDS
from app.exceptions import NotFoundError, NotSignedInError
from app.models.access import Actor
from app.models.sessions import SessionOut
from app.request_context import client_address
from app.services.limits import Limits, Verdict
from app.services.tokens import AccessTokens, RefreshTokens, Tokens, new_session_id, token_digest
from app.storage.accounts import Account, find_account
from app.storage.actor_cache import ActorCache
from app.storage.admissions import Admissions
from app.storage.audit import add_event
from app.storage.database import Database
from app.storage.generations import Lookup
from app.storage.sessions import Session, SessionStore

_MAX_AGENT_CHARACTERS = 200


class Sessions:
    """Sessions of programs and browsers."""

    def __init__(
        self,
        database: Database,
        store: SessionStore,
        admissions: Admissions,
        actors: ActorCache,
        tokens: AccessTokens,
        refresh_tokens: RefreshTokens,
        limits: Limits,
    ) -> None:
        self._database = database
        self._store = store
        self._admissions = admissions
        self._actors = actors
        self._tokens = tokens
        self._refresh_tokens = refresh_tokens
        self._limits = limits

    async def open(self, account: Account, *, agent: str, id_token: str = "") -> Tokens:
        """A new session for a user who has just been authenticated.

        Parameters
        ----------
        id_token
            Of the sign-in provider, which wants to see it again at the sign-out.
        """
        session_id, now = new_session_id(), int(time.time())
        session = Session(
            id=session_id,
            user_id=account.id,
            epoch=account.session_epoch,
            created_at=now,
            rotated_at=now,
            address=client_address.get(),
            agent="".join(filter(str.isprintable, agent))[:_MAX_AGENT_CHARACTERS],
            id_token=id_token,
        )
        refresh = self._refresh_tokens.make(session_id)
        await self._store.add(session, refresh_hash=token_digest(refresh).hex())
        return self._tokens_for(session, refresh)

    async def refresh(self, refresh_token: str, *, leeway_seconds: int = 0) -> Tokens:
        """New tokens for the newest refresh token; an older one ends the session.

        Parameters
        ----------
        leeway_seconds
            For so long the token before the newest is accepted, because browsers send
            requests in parallel with the same cookies.

        Raises
        ------
        NotSignedInError
            Raised when the session has ended, or ends by this.
        TooManyRequestsError
            Raised when too many come from one address.
        UnavailableError
            Raised when a store is away.
        """
        await self._limits.charge_address("refresh")
        session_id = self._refresh_tokens.session_of(refresh_token)
        session = await self._store.find(session_id)
        if session is None:
            raise NotSignedInError("the session has ended")
        # While the token is still good: who is answered 503 comes back with the same one.
        account = await self._actors.find(session.user_id)
        await self._check(session.user_id, session.epoch, account)
        successor = self._refresh_tokens.make(session_id)
        rotation = await self._store.rotate(
            session_id,
            presented=token_digest(refresh_token).hex(),
            successor=token_digest(successor).hex(),
            leeway_seconds=leeway_seconds,
        )
        if rotation == "reused":
            await self._record_reuse(session)
        if rotation in ("reused", "gone"):
            raise NotSignedInError("the session has ended")
        return self._tokens_for(session, successor if rotation == "rotated" else None)

    async def authenticate(
        self, access_token: str, *, is_charged: bool = False, lookup: Lookup | None = None
    ) -> tuple[Actor, Verdict | None]:
        """The actor of an access token, and the verdict on its request if it was charged already.

        Parameters
        ----------
        is_charged
            Whether to charge the request in the same round trip, if that is possible.
        lookup
            The generation of a cached response that the request will need.

        Raises
        ------
        NotSignedInError
            Raised when the token is not valid or the session has ended.
        UnavailableError
            Raised when Redis or PostgreSQL is away and has to decide.
        """
        claims = self._tokens.read(access_token)
        bucket = self._limits.bucket_of_user(claims.user_id) if is_charged else None
        found = await self._admissions.admit(
            claims.session_id, claims.user_id, bucket=bucket, lookup=lookup
        )
        if found is None:
            raise NotSignedInError("the session has ended")
        account = await self._check(claims.user_id, found.epoch, found.account)
        verdict = Verdict(*found.charge) if found.charge else None
        return actor_of(account, claims.session_id), verdict

    async def list_of(self, actor: Actor) -> list[SessionOut]:
        """The actor's sessions, newest first."""
        return [_describe(session, actor) for session in await self._store.list_of(actor.user_id)]

    async def id_token_of(self, session_id: str) -> str:
        """Of the provider that the session began at; empty for one that began with a password."""
        session = await self._store.find(session_id)
        return session.id_token if session else ""

    async def revoke(self, actor: Actor, session_id: str) -> None:
        """End one of the actor's sessions.

        Raises
        ------
        NotFoundError
            Raised when the actor has no session of that id.
        """
        if not await self._store.remove(actor.user_id, session_id):
            raise NotFoundError("there is no such session")
        async with self._database.connect() as connection:
            await add_event(connection, actor, "session.delete", f"session:{session_id}")

    def _tokens_for(self, session: Session, refresh: str | None) -> Tokens:
        access = self._tokens.sign(session.user_id, session.id)
        return Tokens(session.id, access, refresh, self._tokens.seconds)

    async def _check(self, user_id: uuid.UUID, epoch: int, account: Account | None) -> Account:
        """The account, if it is active; one that is not cached is read."""
        if account is None:
            async with self._database.connect() as connection:
                account = await find_account(connection, user_id)
            if account is not None:
                await self._actors.remember(account)
        if account is None or not account.is_active or account.session_epoch != epoch:
            raise NotSignedInError("the session has ended")
        return account

    async def _record_reuse(self, session: Session) -> None:
        async with self._database.connect() as connection:
            await add_event(
                connection,
                None,
                "session.reuse",
                f"session:{session.id}",
                {"user_id": str(session.user_id)},
            )


def actor_of(account: Account, session_id: str | None) -> Actor:
    """The owner of an account as an actor."""
    return Actor(
        user_id=account.id,
        email=account.email,
        role=account.role,
        teams=account.teams,
        session_id=session_id,
        must_change_password=account.must_change_password,
        session_epoch=account.session_epoch,
    )


def _describe(session: Session, actor: Actor) -> SessionOut:
    return SessionOut(
        id=session.id,
        created_at=_time(session.created_at),
        refreshed_at=_time(session.rotated_at),
        ends_at=_time(session.created_at + SESSION_SECONDS),
        address=session.address,
        agent=session.agent,
        current=session.id == actor.session_id,
    )


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
