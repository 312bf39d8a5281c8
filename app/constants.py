"""Limits, each with its reason."""

DEPENDENCY_TIMEOUT_SECONDS = 0.8
"""A health check names a dependency that is down within a second."""

DATABASE_CONNECT_TIMEOUT_SECONDS = 2
"""Commands give up on a server that is away after so long (libpq takes whole seconds, from 2)."""

DATABASE_WAIT_SECONDS = 0.9
"""A request without a connection by then gets its 503, within a second, instead of queueing."""

DATABASE_ANSWER_SECONDS = 5
"""Time limit of a request's statement; one that needs longer is a mistake or waits for a lock."""

REDIS_TIMEOUT_SECONDS = 0.7
"""Time to connect and time for a reply: a request that Redis fails gets its 503 within a second."""

REDIS_RETRY_SECONDS = 0.2
"""How often a Redis that failed is tried again; until it answers, requests do not wait for it."""

REDIS_CONNECTIONS = 16
"""Commands of one process at the same time. A burst after the start opens so many connections, and
each costs it as much as several commands."""

RETRY_AFTER_SECONDS = 2
"""The Retry-After of a 503; PostgreSQL's container restarts in about that time."""

BUSY_RETRY_SECONDS = 10
"""The same where others are being served first."""

CACHE_SECONDS = 30
"""How long a response is kept, and can be out of date if Redis forgot the change."""

GENERATION_SECONDS = 2 * CACHE_SECONDS
"""Longer than a response which was read before a change is kept, and its reading took."""

MAX_CACHE_BYTES = 32 * 1024 * 1024
"""Responses that a process keeps; a page of a list has about 30 kB, and a portal 512 MB."""

PAGE_SIZE = 50
MAX_PAGE_SIZE = 200

MIN_SECRET_CHARACTERS = 32
"""An HS256 key shorter than its hash's 256 bits weakens it (RFC 7518, section 3.2)."""

MIGRATION_LOCK_KEY = 7_303_014_571
"""Any number, the same in every version: the advisory lock under which migrations run."""

MIGRATION_LOCK_WAIT_SECONDS = 600
"""Longer than a migration may take, see `statement_timeout` in migrations/env.py."""

SESSION_IDLE_SECONDS = 7 * 86400
"""A session that is not refreshed in this time ends."""

SESSION_SECONDS = 30 * 86400
"""A session ends after this time even if it is in use."""

SIGN_IN_SECONDS = 600
"""How long somebody may take at the sign-in provider."""

PROVIDER_TIMEOUT_SECONDS = 5
PROVIDER_METADATA_SECONDS = 3600
"""How long the sign-in provider's addresses and keys are kept."""
PROVIDER_CLOCK_SECONDS = 60
"""How far the clocks of provider and portal may differ."""

ROTATION_LEEWAY_SECONDS = 10
"""Browsers send requests in parallel, so the token before the newest stays valid this long."""

ACTOR_CACHE_SECONDS = 60
"""How long roles and teams are cached; a change still shows immediately, see `ActorCache`."""

ACTOR_CHANGE_SECONDS = 2 * (DATABASE_ANSWER_SECONDS + 1) + 8
"""Longer than the change of an account, and a request that read the account before, may take."""

HASHES_AT_ONCE = 2
"""Each takes 19 MiB and a processor; a portal has one processor by default."""

HASH_WAIT_SECONDS = 5
"""A log-in that waits longer for its turn gets a 503."""

MIN_PASSWORD_CHARACTERS = 12
MAX_PASSWORD_CHARACTERS = 128
"""ASVS 6.2.9 wants 64 at least; longer ones would only cost time."""

MAX_KEYS_PER_USER = 20
MAX_KEY_DAYS = 365
KEY_USE_FLUSH_SECONDS = 10
"""`last_used_at` may be so late; it costs one statement for all keys in that time."""

LOGIN_ADDRESS_FACTOR = 3
"""Multiplies the attempts of one account: many people may share an address."""

LOGIN_ACCOUNT_FACTOR = 6
"""Multiplies the attempts from one address, so that one attacker cannot lock the owner out."""

LIMIT_WINDOW_SECONDS = 60
"""Limits are per minute."""

AUDIT_EXPORT_BATCH = 1000
"""Rows of one read of an export, so that no connection is held while a slow client receives."""

MAX_SPEC_BYTES = 64 * 1024
"""An entity's free-form part; larger texts belong in a document or a page."""

MAX_SPEC_DEPTH = 20
"""Deeper than any real one, and far from what a JSON parser's recursion allows."""

MAX_PAGE_CHARACTERS = 200_000
"""Keeps the page's search vector below PostgreSQL's 1 MB, and its rendering short."""

MAX_PAGE_HTML_CHARACTERS = 2_000_000
"""Ten times as many: no text of that length needs more, unless its tables are mostly empty."""

MAX_DOCUMENT_BYTES = 10 * 1024 * 1024
"""An uploaded OpenAPI document."""

MAX_UPLOAD_BYTES = MAX_DOCUMENT_BYTES + 1024 * 1024
"""A body that may be a document, or a form with one."""

MAX_BODY_BYTES = 3 * 1024 * 1024
"""Any other: a page's characters take twelve bytes each when they are escaped."""

MAX_IMPORT_BYTES = 4 * 1024 * 1024
MAX_IMPORT_DOCUMENTS = 5000
"""One transaction writes all of a catalog-info.yaml, and has `DATABASE_ANSWER_SECONDS` for it."""

PORTAL_BYTES = 256 * 1024 * 1024
"""What a portal needs beside the work on documents: its code and libraries, the responses that it
keeps, two password hashes, files in /tmp, and a document of 10 MB in several forms on its way to
the database."""

LEAST_DOCUMENT_BYTES = 96 * 1024 * 1024
"""Of the process that works on a document: Python and its libraries take half of it."""
MOST_DOCUMENT_BYTES = 1024 * 1024 * 1024

DOCUMENT_CPU_SECONDS = 30
"""A document of 10 MB takes some seconds."""
DOCUMENT_TURN_SECONDS = 15
DOCUMENT_WORK_SECONDS = 40
"""Wall time; with that of waiting for it, below Nginx's timeout of 60 s."""

MAX_DOCUMENT_JOBS = 8
"""Requests that work on a document or wait for that; those that wait hold no document yet."""
MAX_DOCUMENT_JOBS_PER_ACCOUNT = 2
"""One at work, and one that waits."""

WEBHOOK_POLL_SECONDS = 2
"""How late a webhook may be; it costs one short statement each time."""

MAX_SEARCH_CANDIDATES = 2000
"""Matches that are ranked; a query with more is too vague for a ranking to help."""

MAX_SEARCH_WORDS = 8
