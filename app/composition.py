"""Which service is made of what, and how the application starts and stops."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any

from app.config import Config
from app.constants import KEY_USE_FLUSH_SECONDS, WEBHOOK_POLL_SECONDS
from app.http.cookies import SessionCookies
from app.http.dependencies import Services
from app.http.identities import Identities
from app.metrics import Metrics
from app.revisions import code_revisions
from app.services.accounts import Accounts
from app.services.api_documents import ApiDocuments
from app.services.api_keys import ApiKeys
from app.services.api_uploads import ApiUploads
from app.services.audit import Audit
from app.services.cache import ReadCache
from app.services.catalogue import Catalogue
from app.services.cursors import Cursors
from app.services.document_work import DocumentWork
from app.services.health import HealthService
from app.services.imports import Imports
from app.services.limits import Limits
from app.services.pages import Pages
from app.services.password_links import PasswordLinks
from app.services.password_sign_in import PasswordSignIn
from app.services.passwords import Passwords
from app.services.provider_accounts import ProviderAccounts
from app.services.provider_sign_in import ProviderSignIn
from app.services.relations import Relations
from app.services.search import Search
from app.services.sessions import Sessions
from app.services.teams import Teams
from app.services.tokens import AccessTokens, RefreshTokens
from app.services.webhooks import Webhooks
from app.storage.actor_cache import ActorCache
from app.storage.admissions import Admissions
from app.storage.buckets import Buckets
from app.storage.database import Database
from app.storage.generations import Generations
from app.storage.key_cache import KeyCache
from app.storage.redis_store import RedisStore
from app.storage.sessions import SessionStore
from app.storage.sign_in_attempts import SignInAttempts

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stores:
    """PostgreSQL and Redis; they connect when they are first used."""

    database: Database
    redis: RedisStore

    @classmethod
    def of(cls, config: Config, metrics: Metrics) -> "Stores":
        database = Database(config, metrics.store_errors.labels("postgres"))
        metrics.watch_database_pool(lambda: database.connections_in_use, database.pool_size)
        return cls(database, RedisStore(config, metrics.store_errors.labels("redis")))


class Composition:
    """The services of one application over its stores."""

    def __init__(self, config: Config, metrics: Metrics, stores: Stores) -> None:
        self._stores = stores
        self._passwords = Passwords()
        self._cache = ReadCache(Generations(stores.redis))
        self.services = _compose(config, metrics, stores, self._passwords, self._cache)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """What goes on beside the requests, until the server has stopped."""
        _on_stop_signal(self.services.health.start_draining, self.services.config.leave_seconds)
        repeated = [
            asyncio.create_task(_repeat(self.services.api_keys.flush_uses, KEY_USE_FLUSH_SECONDS)),
            asyncio.create_task(_repeat(self.services.webhooks.send_due, WEBHOOK_POLL_SECONDS)),
        ]
        try:
            yield
        finally:
            for task in repeated:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await self.services.api_keys.flush_uses()
            self._passwords.close()
            await self._cache.close()
            await self._stores.redis.close()
            await self._stores.database.close()


async def _repeat(work: Callable[[], Awaitable[None]], seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except Exception as error:  # the next time may succeed, and no request waits for this
            _logger.error("%s failed", work.__qualname__, exc_info=error)


def _compose(
    config: Config, metrics: Metrics, stores: Stores, passwords: Passwords, cache: ReadCache
) -> Services:
    database, redis = stores.database, stores.redis
    actors = ActorCache(redis)
    cookies = SessionCookies(config)
    cursors = Cursors(config.secret_key.get_secret_value())
    limits = Limits(config, Buckets(redis))
    sessions = Sessions(
        database,
        SessionStore(redis),
        Admissions(redis),
        actors,
        AccessTokens(config),
        RefreshTokens(config),
        limits,
    )
    keys = KeyCache(redis, actors)
    accounts = Accounts(config, database, actors, keys, passwords, sessions, limits)
    provider_accounts = ProviderAccounts(config, database, actors, accounts)
    api_keys = ApiKeys(database, keys)
    work = DocumentWork()
    api_documents = ApiDocuments(database, cache, work)
    api_uploads = ApiUploads(database, work, announces=config.webhooks_enabled)
    return Services(
        config=config,
        metrics=metrics,
        cookies=cookies,
        identities=Identities(config, sessions, api_keys, cookies),
        limits=limits,
        sessions=sessions,
        accounts=accounts,
        password_sign_in=PasswordSignIn(database, passwords, sessions, limits),
        provider_sign_in=ProviderSignIn(
            config, database, SignInAttempts(redis), provider_accounts, sessions, limits
        ),
        password_links=PasswordLinks(config, database, actors, passwords, limits),
        api_keys=api_keys,
        teams=Teams(database, actors),
        audit=Audit(database),
        catalogue=Catalogue(database, cache, cursors),
        relations=Relations(database, cache),
        pages=Pages(database, work),
        api_documents=api_documents,
        api_uploads=api_uploads,
        search=Search(database, cursors),
        imports=Imports(database, cache, work, api_uploads, actors),
        health=HealthService(config, database, redis, code_revisions()),
        webhooks=Webhooks(config, database, api_documents),
    )


def _on_stop_signal(call: Callable[[], None], leave_seconds: int) -> None:
    """Call it on SIGTERM; so much later, or when told again, the server does what it does then."""
    previous: Any = signal.getsignal(signal.SIGTERM)
    loop = asyncio.get_running_loop()

    def handle(number: int, frame: FrameType | None) -> None:
        call()
        signal.signal(number, previous)
        if callable(previous) and leave_seconds:
            loop.call_soon_threadsafe(loop.call_later, leave_seconds, previous, number, frame)
        elif callable(previous):
            previous(number, frame)

    try:
        signal.signal(signal.SIGTERM, handle)
    except ValueError:
        # Only a main thread may set it; a test client runs the application in another.
        return
