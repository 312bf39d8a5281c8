"""Rules for settings of stores of others, each with those that it is set beside."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from app.settings import Environment
from infra.settings.model import StackSettings


def external_mistakes(settings: StackSettings) -> Iterator[str]:
    """Stores of others, and what means nothing beside them."""
    postgres, redis = settings.postgres, settings.redis
    given = {"postgres": postgres, "redis": redis}
    for name, store in given.items():
        if store.external_ca and store.external_url is None:
            yield (
                f"{name}.external_ca: should be left out without {name}.external_url (got a "
                "certificate). Remove it."
            )
        if settings.devtools and store.external_url is not None:
            yield (
                f"devtools: should be false while {name}.external_url is set (got true). Remove "
                "it: Adminer and Redis Commander know the stack's own stores alone."
            )
    if postgres.external_url is not None and postgres.fresh_start is not None:
        yield (
            "postgres.fresh_start: should be left out while postgres.external_url is set (got "
            f"'{postgres.fresh_start}'). Remove it."
        )
    is_production = settings.environment is Environment.PRODUCTION
    server = postgres.external
    if server and server.is_verified and postgres.external_ca is None:
        yield (
            "postgres.external_ca: should be set while sslmode is verify-full (got nothing). Set "
            "it to the certificate of the authority that vouches for the server."
        )
    if server and not server.is_encrypted and is_production and not postgres.external_is_private:
        yield _unencrypted("postgres", "sslmode disable", "sslmode=verify-full")
    url = redis.external_url
    # A scheme may be in capitals, and the portal takes it so.
    is_plain = url is not None and urlsplit(url.get_secret_value()).scheme == "redis"
    if is_plain and redis.external_ca:
        yield (
            "redis.external_ca: should be left out beside redis:// (got a certificate). Use "
            "rediss://, or remove it."
        )
    if is_plain and is_production and not redis.external_is_private:
        yield _unencrypted("redis", "redis://", "rediss://")


def _unencrypted(store: str, got: str, wanted: str) -> str:
    return (
        f"{store}.external_url: should use TLS in production (got {got}). Use {wanted}, or set "
        f"{store}.external_is_private where nobody else is on the way."
    )
