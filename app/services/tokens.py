"""Tokens: signed ones for access, random ones for refreshing."""

import hashlib
import hmac
import secrets
import time
import uuid
from dataclasses import dataclass
from functools import lru_cache

import jwt

from app.config import Config
from app.exceptions import NotSignedInError

_ISSUER = "devportal"
_CLAIMS = ["iss", "aud", "sub", "sid", "iat", "exp"]
_SESSION_BYTES = 16
_SECRET_BYTES = 32
_VERIFIED_TOKENS = 1000


@dataclass(frozen=True)
class Tokens:
    """Tokens for a client; without `refresh` it keeps its refresh token."""

    session_id: str
    access: str
    refresh: str | None
    expires_in: int


@dataclass(frozen=True)
class AccessClaims:
    """What a valid access token contains; `expires_at` in seconds since 1970."""

    user_id: uuid.UUID
    session_id: str
    expires_at: int


class AccessTokens:
    """Signs and reads access tokens: HS256 and nothing else (RFC 8725, section 3.1)."""

    def __init__(self, config: Config) -> None:
        self._key = config.jwt_secret_key.get_secret_value()
        self._algorithm = config.jwt_algorithm
        # A client sends the same token with every request, and verifying it takes a while.
        self._verify_once = lru_cache(maxsize=_VERIFIED_TOKENS)(self._verify)
        self.seconds = config.jwt_expire_minutes * 60

    def sign(self, user_id: uuid.UUID, session_id: str) -> str:
        """A token for that session, valid until it expires or the session ends."""
        now = int(time.time())
        claims = {
            "iss": _ISSUER,
            "aud": _ISSUER,
            "sub": str(user_id),
            "sid": session_id,
            "iat": now,
            "exp": now + self.seconds,
        }
        return jwt.encode(claims, self._key, self._algorithm)

    def read(self, token: str) -> AccessClaims:
        """The user and session that the token belongs to.

        Raises
        ------
        NotSignedInError
            Raised for a token that has expired, is forged or is not a token at all.
        """
        claims = self._verify_once(token)
        if claims.expires_at <= time.time():
            raise NotSignedInError("the access token has expired")
        return claims

    def _verify(self, token: str) -> AccessClaims:
        try:
            claims = jwt.decode(
                token,
                self._key,
                [self._algorithm],
                audience=_ISSUER,
                issuer=_ISSUER,
                # Another replica's clock may be ahead: `iat` is no time to wait for.
                options={"require": _CLAIMS, "verify_iat": False},
            )
            return AccessClaims(uuid.UUID(claims["sub"]), str(claims["sid"]), int(claims["exp"]))
        except jwt.ExpiredSignatureError as error:
            raise NotSignedInError("the access token has expired") from error
        except (jwt.InvalidTokenError, ValueError) as error:
            raise NotSignedInError("the access token is not valid") from error


class RefreshTokens:
    """Makes refresh tokens, and knows which are its own: `<session id>.<random>.<signature>`.

    A token names its session, so that one that was replaced shows which session to end. Session
    ids are no secret, so the signature tells it from one that somebody made up.
    """

    def __init__(self, config: Config) -> None:
        self._key = config.jwt_secret_key.get_secret_value().encode()

    def make(self, session_id: str) -> str:
        token = f"{session_id}.{secrets.token_urlsafe(_SECRET_BYTES)}"
        return f"{token}.{self._sign(token)}"

    def session_of(self, token: str) -> str:
        """The session that the token was made for.

        Raises
        ------
        NotSignedInError
            Raised for a token that this portal has not made.
        """
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(signed).encode()):
            raise NotSignedInError("the session has ended")
        return signed.partition(".")[0]

    def _sign(self, token: str) -> str:
        return hmac.new(self._key, f"refresh:{token}".encode(), hashlib.sha256).hexdigest()


def new_session_id() -> str:
    return secrets.token_urlsafe(_SESSION_BYTES)


def token_digest(token: str) -> bytes:
    """What is stored of a token or key: it is random, so a fast hash is enough."""
    return hashlib.sha256(token.encode()).digest()
