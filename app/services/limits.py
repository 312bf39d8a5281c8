"""How many requests one client may send."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from app.config import Config
from app.constants import LOGIN_ACCOUNT_FACTOR, LOGIN_ADDRESS_FACTOR
from app.exceptions import TooManyRequestsError, UnavailableError
from app.models.access import Actor
from app.request_context import client_address
from app.storage.buckets import Bucket, Buckets, Standing

_Costly = Literal["register", "refresh", "password-link", "sign-in", "sign-in-answer"]


@dataclass(frozen=True)
class Verdict:
    """Whether a request is allowed, and what is left of its limits; empty while Redis is away."""

    allowed: bool
    standings: Sequence[Standing] = ()

    def check(self) -> None:
        """Refuse a request above a limit.

        Raises
        ------
        TooManyRequestsError
            Raised with the time after which a request would be allowed.
        """
        if self.allowed:
            return
        reached = max(self.standings, key=lambda standing: standing.free_in)
        bucket, seconds = reached.bucket, max(1, reached.free_in)
        raise TooManyRequestsError(
            f"the limit '{bucket.name}' is {bucket.capacity} per minute: wait {seconds} s",
            retry_after=seconds,
        )


class Limits:
    """Charges requests to their senders."""

    def __init__(self, config: Config, buckets: Buckets) -> None:
        self._buckets = buckets
        self._logins = config.login_attempts_per_minute
        self._of_address: Mapping[_Costly, int] = {
            "register": config.login_attempts_per_minute,
            "refresh": config.refreshes_per_minute,
            "password-link": config.login_attempts_per_minute,
            "sign-in": config.login_attempts_per_minute * LOGIN_ADDRESS_FACTOR,
            "sign-in-answer": config.login_attempts_per_minute * LOGIN_ADDRESS_FACTOR,
        }
        self._of_user = config.user_requests_per_minute
        self._of_key = config.key_requests_per_minute

    def bucket_of_user(self, user_id: uuid.UUID) -> Bucket:
        """What every request of that user is charged to."""
        return Bucket("user", str(user_id), self._of_user)

    async def charge_actor(self, actor: Actor) -> Verdict:
        """Charge one request of that actor; everything is allowed while Redis is away."""
        buckets = [self.bucket_of_user(actor.user_id)]
        if actor.key_id is not None:
            buckets.append(Bucket("key", str(actor.key_id), self._of_key))
        try:
            return Verdict(*await self._buckets.take(buckets))
        except UnavailableError:
            return Verdict(allowed=True)

    async def charge_login(self, email: str) -> None:
        """Charge an attempt to log in, before the password is checked.

        Raises
        ------
        TooManyRequestsError
            Raised above the limit.
        UnavailableError
            Raised when Redis is away: without a limit no guess is allowed.
        """
        address = client_address.get()
        buckets = [
            Bucket("login", f"{address}:{email}", self._logins),
            Bucket("login-address", address, self._logins * LOGIN_ADDRESS_FACTOR),
            Bucket("login-account", email, self._logins * LOGIN_ACCOUNT_FACTOR),
        ]
        Verdict(*await self._buckets.take(buckets)).check()

    async def charge_address(self, what: _Costly) -> None:
        """Charge an attempt at something that needs no account, or none yet.

        Raises
        ------
        TooManyRequestsError
            Raised above the limit.
        UnavailableError
            Raised when Redis is away.
        """
        bucket = Bucket(what, client_address.get(), self._of_address[what])
        Verdict(*await self._buckets.take([bucket])).check()
