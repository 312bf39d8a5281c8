"""Sessions in Redis: `session:{id}` is a hash, `sessions-of:{user}` lists a user's sessions.

The list may be evicted or out of date; only the hash decides whether a session is valid.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from app.constants import SESSION_IDLE_SECONDS, SESSION_SECONDS
from app.storage.redis_store import RedisStore

Rotation = Literal["rotated", "concurrent", "reused", "gone"]

# Redis runs scripts one after another, so of two requests with the same token one rotates. A script
# that is sent twice, because its reply was lost, finds its own successor in place.
_ROTATE = """
local found = redis.call('HMGET', KEYS[1], 'refresh', 'previous', 'rotated_at', 'created_at')
if not found[1] then return 'gone' end
local now = tonumber(redis.call('TIME')[1])
local left = tonumber(found[4]) + tonumber(ARGV[4]) - now
if left <= 0 then redis.call('DEL', KEYS[1]) return 'gone' end
if found[1] == ARGV[2] then return 'rotated' end
if found[1] ~= ARGV[1] then
    if found[2] == ARGV[1] and now - tonumber(found[3]) < tonumber(ARGV[3]) then
        return 'concurrent'
    end
    redis.call('DEL', KEYS[1])
    return 'reused'
end
redis.call('HSET', KEYS[1], 'refresh', ARGV[2], 'previous', ARGV[1], 'rotated_at', now)
redis.call('EXPIRE', KEYS[1], math.min(left, tonumber(ARGV[5])))
return 'rotated'
"""


@dataclass(frozen=True)
class Session:
    """One log-in: of which user, since when (seconds since 1970) and from where.

    Parameters
    ----------
    id_token
        Of the sign-in provider; empty for a log-in with a password.
    """

    id: str
    user_id: uuid.UUID
    epoch: int
    created_at: int
    rotated_at: int
    address: str
    agent: str
    id_token: str = ""


class SessionStore:
    """Keeps sessions; of refresh tokens only the hashes."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        self._rotate = store.register_script(_ROTATE)

    async def add(self, session: Session, *, refresh_hash: str) -> None:
        """Begin a session."""
        values = {**asdict(session), "user_id": str(session.user_id), "refresh": refresh_hash}
        del values["id"]
        key, index = session_key(session.id), _index(session.user_id)
        async with self._store.reach() as redis:
            addition = redis.pipeline()
            addition.hset(key, mapping=values)
            addition.expire(key, SESSION_IDLE_SECONDS)
            addition.zadd(index, {session.id: session.created_at})
            addition.expire(index, SESSION_SECONDS)
            await addition.execute()

    async def find(self, session_id: str) -> Session | None:
        """The session of that id, if it has not ended."""
        [session] = await self._find_all([session_id])
        return session

    async def rotate(
        self, session_id: str, *, presented: str, successor: str, leeway_seconds: int
    ) -> Rotation:
        """Replace the refresh token by its successor; both are given as hashes.

        A token that was replaced earlier ends the session: one of its two holders is a thief.
        """
        limits = (leeway_seconds, SESSION_SECONDS, SESSION_IDLE_SECONDS)
        async with self._store.reach():
            return await self._rotate(
                keys=[session_key(session_id)], args=[presented, successor, *limits]
            )

    async def remove(self, user_id: uuid.UUID, session_id: str) -> bool:
        """End a session of that user's; False if there was none."""
        session = await self.find(session_id)
        if session is None or session.user_id != user_id:
            return False
        async with self._store.reach() as redis:
            removal = redis.pipeline()
            removal.delete(session_key(session_id))
            removal.zrem(_index(user_id), session_id)
            await removal.execute()
        return True

    async def list_of(self, user_id: uuid.UUID) -> list[Session]:
        """Sessions of a user, newest first; those that have ended leave the list."""
        index = _index(user_id)
        async with self._store.reach() as redis:
            ids: list[str] = await redis.zrevrange(index, 0, -1)
        found = await self._find_all(ids)
        ended = [one for one, session in zip(ids, found, strict=True) if session is None]
        if ended:
            async with self._store.reach() as redis:
                await redis.zrem(index, *ended)
        return [session for session in found if session is not None]

    async def _find_all(self, ids: Sequence[str]) -> list[Session | None]:
        async with self._store.reach() as redis:
            reads = redis.pipeline(transaction=False)
            for session_id in ids:
                reads.hgetall(session_key(session_id))
            found = await reads.execute()
        return [_read(one, values) for one, values in zip(ids, found, strict=True)]


def session_key(session_id: str) -> str:
    """The key that a session is stored under."""
    return f"session:{session_id}"


def _index(user_id: uuid.UUID) -> str:
    return f"sessions-of:{user_id}"


def _read(session_id: str, found: Mapping[str, str]) -> Session | None:
    if not found:
        return None
    return Session(
        id=session_id,
        user_id=uuid.UUID(found["user_id"]),
        epoch=int(found["epoch"]),
        created_at=int(found["created_at"]),
        rotated_at=int(found["rotated_at"]),
        address=found["address"],
        agent=found["agent"],
        # Sessions of the release before have none.
        id_token=found.get("id_token", ""),
    )
