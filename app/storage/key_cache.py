"""API keys of recent requests, in Redis: a program sends many requests, mostly with one key.

As with accounts, the revocation of a key is announced before it happens, see `ActorCache`.
"""

import json
import time
import uuid
from dataclasses import dataclass

from app.constants import ACTOR_CACHE_SECONDS, ACTOR_CHANGE_SECONDS
from app.exceptions import UnavailableError
from app.storage.accounts import Account
from app.storage.actor_cache import CHANGING, ActorCache
from app.storage.redis_store import RedisStore


@dataclass(frozen=True)
class StoredKey:
    """A key that has neither expired nor been revoked, and its owner."""

    id: uuid.UUID
    sha256: bytes
    scopes: frozenset[str]
    expires_at: float
    owner: Account


class KeyCache:
    """Valid keys by their hashes. While Redis is away it is empty."""

    def __init__(self, store: RedisStore, actors: ActorCache) -> None:
        self._store = store
        self._actors = actors

    async def find(self, sha256: bytes) -> StoredKey | None:
        """The cached key of that hash, if it and its owner are cached."""
        try:
            async with self._store.reach() as redis:
                text: str | None = await redis.get(_key(sha256))
            if text is None or text == CHANGING:
                return None
            values = json.loads(text)
            owner = await self._actors.find(uuid.UUID(values["user_id"]))
        except UnavailableError:
            return None
        if owner is None or values["expires_at"] <= time.time():
            return None
        scopes = frozenset(values["scopes"])
        return StoredKey(uuid.UUID(values["id"]), sha256, scopes, values["expires_at"], owner)

    async def remember(self, key: StoredKey) -> None:
        """Cache a key and its owner, unless they are cached already or being changed."""
        values = {
            "id": str(key.id),
            "user_id": str(key.owner.id),
            "scopes": sorted(key.scopes),
            "expires_at": key.expires_at,
        }
        text = json.dumps(values)
        try:
            await self._actors.remember(key.owner)
            async with self._store.reach() as redis:
                await redis.set(_key(key.sha256), text, ex=ACTOR_CACHE_SECONDS, nx=True)
        except UnavailableError:
            return

    async def announce_revocation(self, *hashes: bytes) -> None:
        """Forget keys that are about to be revoked.

        Raises
        ------
        UnavailableError
            Raised when Redis is away: another replica might go on with the key.
        """
        async with self._store.reach() as redis:
            for sha256 in hashes:
                await redis.set(_key(sha256), CHANGING, ex=ACTOR_CHANGE_SECONDS)


def _key(sha256: bytes) -> str:
    return f"api-key:{sha256.hex()}"
