"""The services of accounts and access, wired together."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.datastructures import State

from app.config import Config
from app.constants import KEY_USE_FLUSH_SECONDS
from app.cookies import SessionCookies
from app.services.accounts import Accounts
from app.services.api_keys import ApiKeys
from app.services.audit import Audit
from app.services.identities import Identities
from app.services.limits import Limits
from app.services.passwords import Passwords
from app.services.sessions import Sessions
from app.services.teams import Teams
from app.services.tokens import AccessTokens
from app.storage.actor_cache import ActorCache
from app.storage.buckets import Buckets
from app.storage.database import Database
from app.storage.key_cache import KeyCache
from app.storage.redis_server import RedisServer
from app.storage.sessions import SessionStore

_logger = logging.getLogger(__name__)


class AccessServices:
    """Makes the services; they stand on the application's state under their own names."""

    def __init__(self, config: Config, database: Database) -> None:
        self.redis = RedisServer(config)
        self._passwords = Passwords()
        actors = ActorCache(self.redis)
        self.cookies = SessionCookies(config)
        self.limits = Limits(config, Buckets(self.redis))
        self.sessions = Sessions(
            database,
            SessionStore(self.redis),
            actors,
            self._passwords,
            AccessTokens(config),
            self.limits,
        )
        self.accounts = Accounts(
            config, database, actors, self._passwords, self.sessions, self.limits
        )
        self.api_keys = ApiKeys(database, KeyCache(self.redis, actors))
        self.teams = Teams(database, actors)
        self.audit = Audit(database)
        self.identities = Identities(config, self.sessions, self.api_keys, self.cookies)

    def put_on(self, state: State) -> None:
        """Make the services reachable for handlers."""
        for name, service in vars(self).items():
            if not name.startswith("_"):
                setattr(state, name, service)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write uses of keys now and then, and what is left of them at the end."""
        flushing = asyncio.create_task(self._flush_uses())
        try:
            yield
        finally:
            flushing.cancel()
            with suppress(asyncio.CancelledError):
                await flushing
            await self.api_keys.flush_uses()
            self._passwords.close()
            await self.redis.close()

    async def _flush_uses(self) -> None:
        while True:
            await asyncio.sleep(KEY_USE_FLUSH_SECONDS)
            try:
                await self.api_keys.flush_uses()
            except Exception as error:  # the next time may go better, and nobody waits for this one
                _logger.error("uses of API keys were not written", exc_info=error)
