"""Stores of others: URLs of a PostgreSQL and a Redis that the stack uses and does not run."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pydantic import AfterValidator, SecretStr, WrapValidator

from app.setting_rules import Rule
from infra.settings.values import accept_encrypted, fulfils
from infra.x509 import are_certificates

DATABASE = "devportal"
ROLES_JOB = "postgres-roles"
"""Role of the container that makes the portal's roles on a PostgreSQL of others."""
POSTGRES_CA, REDIS_CA = "postgres_ca", "redis_ca"
"""Files beside the portal's secrets: who vouches for these servers."""
_VERIFIED = "verify-full"
_TLS_MODES = (_VERIFIED, "require", "disable")


@dataclass(frozen=True)
class PostgresServer:
    """A PostgreSQL server and one of its roles, as libpq names them."""

    host: str
    port: int
    user: str
    password: str
    tls_mode: str

    @property
    def is_encrypted(self) -> bool:
        """Whether connections to it are."""
        return self.tls_mode != "disable"

    @property
    def is_verified(self) -> bool:
        """Whether its certificate is held against an authority and its name."""
        return self.tls_mode == _VERIFIED

    @classmethod
    def of(cls, url: SecretStr) -> "PostgresServer":
        """That of a URL. Raises ValueError for one that breaks its rule."""
        parts = _split(url, ("postgresql", "postgres"))
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
        mode = options.pop("sslmode", "")
        if options or mode not in _TLS_MODES or parts.path != f"/{DATABASE}" or not parts.username:
            raise ValueError
        user, password = unquote(parts.username), unquote(parts.password or "")
        return cls(str(parts.hostname), parts.port or 5432, user, password, mode)


def _split(url: SecretStr, schemes: tuple[str, ...]) -> SplitResult:
    text = url.get_secret_value()
    parts = urlsplit(text)
    has_host = bool(parts.hostname) and ":" not in str(parts.hostname)
    # Reading the port checks it: an unescaped / or # in a password ends up there.
    if parts.scheme not in schemes or not has_host or parts.port == 0:
        raise ValueError
    if not parts.password or parts.fragment or not text.isprintable() or " " in text:
        raise ValueError
    return parts


def _check_postgres(value: SecretStr) -> SecretStr:
    PostgresServer.of(value)
    return value


def _check_redis(value: SecretStr) -> SecretStr:
    parts = _split(value, ("redis", "rediss"))
    number = parts.path.removeprefix("/")
    if parts.query or (number and not number.isdigit()):
        raise ValueError
    return value


PostgresUrl = Annotated[
    SecretStr,
    AfterValidator(_check_postgres),
    Rule(
        f"like postgresql://user:password@host:5432/{DATABASE}?sslmode=verify-full (or require, or "
        "disable), with special characters percent-encoded"
    ),
    WrapValidator(accept_encrypted),
]
RedisUrl = Annotated[
    SecretStr,
    AfterValidator(_check_redis),
    Rule(
        "like rediss://user:password@host:6379/0 (or redis://), with special characters "
        "percent-encoded"
    ),
    WrapValidator(accept_encrypted),
]
Authorities = Annotated[
    str,
    fulfils(are_certificates),
    Rule("PEM of the certificates of authorities, without a key"),
]
