"""Rules that hold between settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from infra.x509 import CertificateError, check_pair
from infra.settings.groups import Environment, TlsMode

if TYPE_CHECKING:
    from infra.settings.loading import Settings

# Of PostgreSQL itself: kept for its superuser; and for a probe, a backup and a look by hand.
_RESERVED_CONNECTIONS = 3
_OTHER_CONNECTIONS = 3
# A replica that migrates holds a lock on one connection and works on another.
_MIGRATION_CONNECTIONS = 2
# PostgreSQL's own processes, the init process, and probes.
_OTHER_PROCESSES = 28
_DEVELOPMENT_ONLY = {
    "reload": "Code in production comes from the image alone.",
    "debug": "Debug answers show the application's inside.",
    "seed": "Seed data is for development.",
}


def combination_mistakes(settings: Settings) -> list[str]:
    """One line for each broken rule, by the key as the user writes it."""
    return [
        *_size_mistakes(settings),
        *_connection_mistakes(settings),
        *(
            _production_mistakes(settings)
            if settings.environment is Environment.PRODUCTION
            else _development_mistakes(settings)
        ),
    ]


def _size_mistakes(settings: Settings) -> Iterator[str]:
    redis = settings.redis
    if redis.memory_mb < redis.max_memory_mb * 3 // 2:
        yield (
            f"redis.memory_mb: should be at least 1.5 times redis.max_memory_mb "
            f"(got {redis.memory_mb} for {redis.max_memory_mb}). Raise it: the "
            "snapshot's fork needs room."
        )


def _connection_mistakes(settings: Settings) -> Iterator[str]:
    app, connections = settings.app, settings.postgres.max_connections
    pools = 2 * app.replicas * app.database_pool_size
    starting = min(app.max_surge, app.replicas) * _MIGRATION_CONNECTIONS
    needed = pools + starting + _RESERVED_CONNECTIONS + _OTHER_CONNECTIONS
    if connections < needed:
        yield (
            f"postgres.max_connections: should be at least {needed} (got {connections}): in an "
            f"update twice app.replicas ({app.replicas}) times app.database_pool_size "
            f"({app.database_pool_size}), {starting} for migrations and "
            f"{_RESERVED_CONNECTIONS + _OTHER_CONNECTIONS} in reserve. Raise it, or lower those."
        )
    if settings.pids_limit < connections + _OTHER_PROCESSES:
        yield (
            f"pids_limit: should be at least {connections + _OTHER_PROCESSES} for "
            f"postgres.max_connections {connections} (got {settings.pids_limit}). Raise it: "
            "PostgreSQL has a process for each connection."
        )


def _development_mistakes(settings: Settings) -> Iterator[str]:
    if settings.app.replicas != 1:
        yield (
            f"app.replicas: should be 1 in development (got {settings.app.replicas}). Its port is "
            "published directly, with nothing in front to share requests out."
        )


def _production_mistakes(settings: Settings) -> Iterator[str]:
    if settings.devtools:
        yield (
            "devtools: should be false in production (got true). Adminer fills its login form in."
        )
    for name, reason in _DEVELOPMENT_ONLY.items():
        if getattr(settings.app, name):
            yield f"app.{name}: should be false in production (got true). {reason}"
    yield from _tls_mistakes(settings)


def _tls_mistakes(settings: Settings) -> Iterator[str]:
    given = settings.secrets
    pair = {"tls_certificate": given.tls_certificate, "tls_key": given.tls_key}
    if settings.tls.mode is TlsMode.GENERATED:
        for name in (name for name, value in pair.items() if value is not None):
            yield (
                f"secrets.{name}: should be left out while tls.mode is generated (got a secret). "
                "Set tls.mode to provided, or remove it."
            )
        return
    missing = [name for name, value in pair.items() if value is None]
    for name in missing:
        yield (
            f"secrets.{name}: should be set while tls.mode is provided (got nothing). Add it with "
            f"`pulumi config set --secret --path devportal:secrets.{name} < file.pem`."
        )
    if not missing and given.tls_certificate and given.tls_key:
        try:
            check_pair(
                given.tls_certificate.get_secret_value(),
                given.tls_key.get_secret_value(),
                settings.domain,
            )
        except CertificateError as error:
            yield f"secrets.tls_certificate: {error}"
