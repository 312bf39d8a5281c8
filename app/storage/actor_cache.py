"""Accounts of recent requests, in Redis, so that most requests need nothing from PostgreSQL.

A change is announced before it happens: for longer than any request may last, the account is then
not cached, so what was read before the change cannot come back after it.
"""

import json
import uuid
from dataclasses import asdict, fields
from functools import lru_cache

from app.constants import ACTOR_CACHE_SECONDS, ACTOR_CHANGE_SECONDS
from app.storage.accounts import Account
from app.storage.redis_store import RedisStore

CHANGING = "changing"
"""In place of an account, or a key, that is about to be changed."""
_SECRET = "password_hash"
_NAMES = {field.name for field in fields(Account)}


class ActorCache:
    """Accounts by id, without their passwords."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    async def find(self, user_id: uuid.UUID) -> Account | None:
        """The cached account, if there is one."""
        async with self._store.reach() as redis:
            return read_account(await redis.get(actor_key(user_id)))

    async def remember(self, account: Account) -> None:
        """Cache an account, unless it is cached already or being changed."""
        values = {**asdict(account), "id": str(account.id)}
        del values[_SECRET]
        text = json.dumps(values)
        async with self._store.reach() as redis:
            await redis.set(actor_key(account.id), text, ex=ACTOR_CACHE_SECONDS, nx=True)

    async def announce_change(self, *user_ids: uuid.UUID) -> None:
        """Forget accounts that are about to be changed; to be called before the change.

        Raises
        ------
        UnavailableError
            Raised when Redis is away: the change must not happen then, it might not be seen.
        """
        if not user_ids:
            return
        async with self._store.reach() as redis:
            announcement = redis.pipeline(transaction=False)
            for user_id in user_ids:
                announcement.set(actor_key(user_id), CHANGING, ex=ACTOR_CHANGE_SECONDS)
            await announcement.execute()


@lru_cache(maxsize=1000)
def read_account(text: str | None) -> Account | None:
    """An account from its text in Redis; None for none, and for another release's."""
    if text is None or text == CHANGING:
        return None
    values = json.loads(text)
    if {*values, _SECRET} != _NAMES:
        return None
    return Account(**{**values, "id": uuid.UUID(values["id"]), _SECRET: ""})


def actor_key(user_id: uuid.UUID) -> str:
    """The key that an account is cached under."""
    return f"actor:{user_id}"
