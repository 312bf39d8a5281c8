"""Limits, each with its reason."""

DEPENDENCY_TIMEOUT_SECONDS = 0.8
"""A health answer names a dead dependency within a second."""

DATABASE_CONNECT_TIMEOUT_SECONDS = 2
"""A request fails with 503 rather than wait for a server that is away (libpq takes whole s)."""

REDIS_TIMEOUT_SECONDS = 0.5
"""The cache is worth less than the wait for it."""

RETRY_AFTER_SECONDS = 2
"""What a client is told when PostgreSQL is away; its container restarts in about that time."""

CACHE_SECONDS = 5
"""Hot lists may be this old."""

PAGE_SIZE = 50
MAX_PAGE_SIZE = 200

MIN_SECRET_CHARACTERS = 32
"""An HS256 key shorter than its hash's 256 bits weakens it (RFC 7518, section 3.2)."""

MIGRATION_LOCK_KEY = 7_303_014_571
"""Any number, the same in every version: the advisory lock under which migrations run."""
