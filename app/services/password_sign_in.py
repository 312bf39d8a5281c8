"""Signing in with an address and a password."""

from app.exceptions import NotSignedInError
from app.services.limits import Limits
from app.services.passwords import Passwords
from app.services.sessions import Sessions, actor_of
from app.services.tokens import Tokens
from app.storage.accounts import Account, find_account_by_email, renew_hash
from app.storage.audit import add_event
from app.storage.database import Database


class PasswordSignIn:
    """Tells nobody which addresses have an account, by its answers or by the time they take."""

    def __init__(
        self, database: Database, passwords: Passwords, sessions: Sessions, limits: Limits
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._sessions = sessions
        self._limits = limits

    async def log_in(self, email: str, password: str, *, agent: str) -> Tokens:
        """Begin a session.

        Raises
        ------
        NotSignedInError
            Raised for a wrong address or password, without saying which.
        TooManyRequestsError
            Raised after too many tries.
        UnavailableError
            Raised when a store is away.
        """
        await self._limits.charge_login(email)
        async with self._database.connect() as connection:
            account = await find_account_by_email(connection, email)
        known = account if account is not None and account.is_active else None
        matches = await self._passwords.matches(password, known.password_hash if known else None)
        if known is None or not matches:
            await self._record_failure(account)
            raise NotSignedInError("the e-mail address or the password is wrong")
        tokens = await self._sessions.open(known, agent=agent)
        await self._record_login(known, tokens.session_id, password)
        return tokens

    async def _record_login(self, account: Account, session_id: str, password: str) -> None:
        assert account.password_hash is not None
        outdated = self._passwords.is_outdated(account.password_hash)
        renewed = await self._passwords.hash(password) if outdated else None
        async with self._database.connect() as connection:
            if renewed:
                await renew_hash(connection, account.id, account.password_hash, renewed)
            await add_event(
                connection, actor_of(account, session_id), "session.create", f"session:{session_id}"
            )

    async def _record_failure(self, account: Account | None) -> None:
        # An address without an account may be a password that was typed into the wrong field.
        target = f"user:{account.email}" if account else "user:unknown"
        async with self._database.connect() as connection:
            await add_event(connection, None, "login.fail", target)
