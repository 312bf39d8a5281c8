"""Limits, each with its reason."""

DEPENDENCY_TIMEOUT_SECONDS = 0.8
"""A health answer names a dead dependency within a second."""

DATABASE_CONNECT_TIMEOUT_SECONDS = 2
"""Commands give up on a server that is away after so long (libpq takes whole seconds, from 2)."""

DATABASE_WAIT_SECONDS = 0.9
"""A request without a connection by then gets its 503, within a second, and does not pile up."""

DATABASE_ANSWER_SECONDS = 5
"""Time a request's statement gets; one that needs longer is a mistake or waits for a lock."""

REDIS_TIMEOUT_SECONDS = 0.5
"""Time to connect and time for a reply: a request that Redis fails gets its 503 within a second."""

REDIS_PAUSE_SECONDS = 1.0
"""A Redis that failed gets no commands for so long: one request finds out, the others need not."""

REDIS_CONNECTIONS = 20
"""Each is busy for a fraction of a millisecond; more would only wait in Redis itself."""

RETRY_AFTER_SECONDS = 2
"""What a client is told when PostgreSQL is away; its container restarts in about that time."""

CACHE_SECONDS = 30
"""How old a cached answer can get where Redis was away when somebody changed what it shows."""

LOCAL_CACHE_ENTRIES = 2_000
"""Answers a process keeps by itself; a page of a list is some 30 kB."""

PAGE_SIZE = 50
MAX_PAGE_SIZE = 200

MIN_SECRET_CHARACTERS = 32
"""An HS256 key shorter than its hash's 256 bits weakens it (RFC 7518, section 3.2)."""

MIGRATION_LOCK_KEY = 7_303_014_571
"""Any number, the same in every version: the advisory lock under which migrations run."""

MIGRATION_LOCK_WAIT_SECONDS = 600
"""Longer than a migration may take, see `statement_timeout` in migrations/env.py."""

SESSION_IDLE_SECONDS = 7 * 86400
"""A session that is not refreshed for so long ends."""

SESSION_SECONDS = 30 * 86400
"""After so long everybody signs in again, however busy the session was."""

ROTATION_LEEWAY_SECONDS = 10
"""A browser sends requests side by side: the token before the newest is no theft for so long."""

ACTOR_CACHE_SECONDS = 60
"""Roles and teams are remembered for so long; a change is seen at once, see `ActorCache`."""

ACTOR_CHANGE_SECONDS = 2 * (DATABASE_ANSWER_SECONDS + 1) + 8
"""Longer than a change of an account and a request that read the account before it may take."""

HASHES_AT_ONCE = 2
"""Each takes 19 MiB and a processor; a portal has one processor by default."""

HASH_WAIT_SECONDS = 5
"""A log-in that waits longer for its turn is told to come back."""

MIN_PASSWORD_CHARACTERS = 12
MAX_PASSWORD_CHARACTERS = 128
"""ASVS 6.2.9 wants 64 at least; longer ones would only cost time."""

MAX_KEYS_PER_USER = 20
MAX_KEY_DAYS = 365
KEY_USE_FLUSH_SECONDS = 10
"""`last_used_at` may be so late; it costs one statement for all keys in that time."""

LOGIN_ADDRESS_FACTOR = 3
"""People share addresses: an address may try so many times what one account may from there."""

LOGIN_ACCOUNT_FACTOR = 6
"""From everywhere together; enough that one attacker does not lock the owner out."""

LIMIT_WINDOW_SECONDS = 60
"""Limits are told per minute."""

AUDIT_EXPORT_BATCH = 1000
"""Rows an export reads at once: no connection is held while a slow client reads."""

MAX_SPEC_BYTES = 64 * 1024
"""An entity's free part; what is larger belongs into a document or a page."""

MAX_SPEC_DEPTH = 20
"""Deeper than any real one, and far from what a JSON parser's recursion allows."""

MAX_PAGE_CHARACTERS = 200_000
"""Keeps the page's search vector below PostgreSQL's 1 MB, and its rendering short."""

MAX_DOCUMENT_BYTES = 10 * 1024 * 1024
"""An uploaded OpenAPI document."""

MAX_IMPORT_BYTES = 1024 * 1024
MAX_IMPORT_DOCUMENTS = 200
"""One transaction writes all of a catalog-info.yaml."""

DOCUMENT_WORKERS = 2
"""Each takes a core and some hundred megabytes for a document of 10 MB."""

DOCUMENT_WORK_SECONDS = 30
"""Below the time that Nginx waits for an answer."""

MAX_SEARCH_CANDIDATES = 2000
"""Of what fits, so many are ranked; who finds more has not said what to look for."""

MAX_SEARCH_WORDS = 8
