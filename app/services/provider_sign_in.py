"""Signing in at the OpenID Connect provider, and out of it."""

import hmac
import logging
import secrets
from dataclasses import dataclass

from app.config import Config
from app.exceptions import NotFoundError, SignInRefusedError, UnavailableError
from app.models.access import Actor
from app.services.limits import Limits
from app.services.oidc import OidcProvider
from app.services.provider_accounts import BY_PROVIDER, Person, ProviderAccounts
from app.services.sessions import Sessions, actor_of
from app.services.tokens import Tokens
from app.storage.audit import add_event
from app.storage.database import Database
from app.storage.sign_in_attempts import Attempt, SignInAttempts

_logger = logging.getLogger(__name__)
_RANDOM_BYTES = 32
_MAX_CODE_CHARACTERS = 4096


@dataclass(frozen=True)
class Answer:
    """What the provider sends back by the browser; empty for what it has not sent."""

    state: str = ""
    code: str = ""
    error: str = ""
    issuer: str = ""


class ProviderSignIn:
    """One attempt after another: each begins here, and ends here within ten minutes or never."""

    def __init__(
        self,
        config: Config,
        database: Database,
        attempts: SignInAttempts,
        accounts: ProviderAccounts,
        sessions: Sessions,
        limits: Limits,
    ) -> None:
        self._config = config
        self._database = database
        self._attempts = attempts
        self._accounts = accounts
        self._sessions = sessions
        self._limits = limits
        issuer = config.oidc_issuer
        self._provider = OidcProvider(config, issuer) if issuer is not None else None

    async def start(self, redirect_uri: str, target: str) -> tuple[str, str]:
        """Where the browser is sent, and the state that it has to come back with.

        Raises
        ------
        NotFoundError
            Raised when no provider is set.
        TooManyRequestsError
            Raised when too many come from one address.
        UnavailableError
            Raised when the provider is away, or Redis.
        """
        provider = self._require_provider()
        await self._limits.charge_address("sign-in")
        state, nonce, verifier = (secrets.token_urlsafe(_RANDOM_BYTES) for _ in range(3))
        attempt = Attempt(nonce, verifier, target)
        url = await provider.start(state, attempt, redirect_uri)
        await self._attempts.add(state, attempt)
        return url, state

    async def take(self, answer: Answer, begun: str) -> Attempt:
        """The attempt that the answer belongs to; it is used up, whatever comes of it.

        Parameters
        ----------
        begun
            The state that this browser keeps of the attempt that it has begun.

        Raises
        ------
        SignInRefusedError
            Raised for an answer to something that this browser has not begun, or not any more.
        TooManyRequestsError
            Raised when too many come from one address.
        """
        self._require_provider()
        await self._limits.charge_address("sign-in-answer")
        is_own = bool(begun) and hmac.compare_digest(answer.state.encode(), begun.encode())
        attempt = await self._attempts.take(begun) if is_own else None
        if attempt is None:
            error = SignInRefusedError(
                "this sign-in was not begun in this browser, is over or took too long: try again",
                reason="state is used or too old" if is_own else "state is another browser's",
            )
            await self._record(error)
            raise error
        return attempt

    async def finish(
        self, attempt: Attempt, answer: Answer, redirect_uri: str, *, agent: str
    ) -> Tokens:
        """The tokens of a new session.

        Raises
        ------
        SignInRefusedError
            Raised when the provider or the portal does not let the person in.
        UnavailableError
            Raised when the provider is away, or a store.
        """
        provider = self._require_provider()
        try:
            code = _code_of(answer)
            verified = await provider.finish(attempt, redirect_uri, code=code, issuer=answer.issuer)
            person = Person.of(self._config, provider.issuer, verified.claims)
            account = await self._accounts.admit(person)
        except SignInRefusedError as error:
            await self._record(error)
            raise
        tokens = await self._sessions.open(account, agent=agent, id_token=verified.id_token)
        async with self._database.connect() as connection:
            await add_event(
                connection,
                actor_of(account, tokens.session_id),
                "session.create",
                f"session:{tokens.session_id}",
                BY_PROVIDER,
            )
        return tokens

    async def sign_out_url(self, actor: Actor, back: str) -> str | None:
        """Where the browser of this session also signs out; None for one that began elsewhere."""
        if self._provider is None or actor.session_id is None:
            return None
        id_token = await self._sessions.id_token_of(actor.session_id)
        try:
            return await self._provider.sign_out_url(id_token, back) if id_token else None
        except UnavailableError as error:
            _logger.warning("signed out here alone: %s", error.detail)
            return None

    def _require_provider(self) -> OidcProvider:
        if self._provider is None:
            raise NotFoundError("there is no sign-in provider")
        return self._provider

    async def _record(self, error: SignInRefusedError) -> None:
        async with self._database.connect() as connection:
            await add_event(
                connection,
                None,
                "login.fail",
                f"user:{error.email or 'unknown'}",
                {"reason": error.reason, **BY_PROVIDER},
            )


def _code_of(answer: Answer) -> str:
    if answer.error or not 0 < len(answer.code) <= _MAX_CODE_CHARACTERS:
        raise SignInRefusedError(
            "the sign-in provider has not signed you in: try again",
            reason=f"the provider says {answer.error[:100]!r}",
        )
    return answer.code
