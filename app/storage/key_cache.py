"""API keys of the last requests, in Redis: a program asks often, and mostly with one key.

As with accounts, a key that is about to be revoked announces it, see `ActorCache`.
"""

import json
import time
import uuid
from dataclasses import dataclass

from app.constants import ACTOR_CACHE_SECONDS, ACTOR_CHANGE_SECONDS
from app.exceptions import UnavailableError
from app.storage.accounts import Account
from app.storage.actor_cache import ActorCache
from app.storage.redis_server import RedisServer

_CHANGING = "changing"


@dataclass(frozen=True)
class StoredKey:
    """A key that has neither expired nor been revoked, and its owner."""

    id: uuid.UUID
    sha256: bytes
    scopes: frozenset[str]
    expires_at: float
    owner: Account


class KeyCache:
    """Good keys by their hashes. While Redis is away there are none."""

    def __init__(self, server: RedisServer, actors: ActorCache) -> None:
        self._server = server
        self._actors = actors

    async def find(self, sha256: bytes) -> StoredKey | None:
        """The key of that hash as remembered, if it and its owner are."""
        try:
            text = await self._server.ask(("GET", _key(sha256)))
            if text is None or text == _CHANGING:
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
        """Keep a key and its owner, unless they are remembered or being changed."""
        values = {
            "id": str(key.id),
            "user_id": str(key.owner.id),
            "scopes": sorted(key.scopes),
            "expires_at": key.expires_at,
        }
        text = json.dumps(values)
        try:
            await self._actors.remember(key.owner)
            await self._server.ask(("SET", _key(key.sha256), text, "EX", ACTOR_CACHE_SECONDS, "NX"))
        except UnavailableError:
            return

    async def announce_revocation(self, sha256: bytes) -> None:
        """Forget a key that is about to be revoked.

        Raises
        ------
        UnavailableError
            Raised when Redis is away: another replica might go on with the key.
        """
        await self._server.ask(("SET", _key(sha256), _CHANGING, "EX", ACTOR_CHANGE_SECONDS))


def _key(sha256: bytes) -> str:
    return f"api-key:{sha256.hex()}"
