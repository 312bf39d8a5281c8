"""Sessions in Redis: `session:{id}` as a hash, `sessions-of:{user}` to list them by.

The list may be evicted or left behind; whether a session is good is told by the session alone.
"""

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Literal

from app.constants import SESSION_IDLE_SECONDS, SESSION_SECONDS
from app.storage.accounts import Account
from app.storage.actor_cache import actor_key, read_account
from app.storage.redis_server import RedisServer

Rotation = Literal["rotated", "concurrent", "reused", "gone"]

# Two requests with the same token come one after the other here: one of them rotates.
_ROTATE = """
local found = redis.call('HMGET', KEYS[1], 'refresh', 'previous', 'rotated_at', 'created_at')
if not found[1] then return 'gone' end
local now = tonumber(redis.call('TIME')[1])
local left = tonumber(found[4]) + tonumber(ARGV[4]) - now
if left <= 0 then redis.call('DEL', KEYS[1]) return 'gone' end
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
    """One log-in: whose, since when (seconds since 1970) and from where."""

    id: str
    user_id: uuid.UUID
    epoch: int
    created_at: int
    rotated_at: int
    address: str
    agent: str


class SessionStore:
    """Keeps sessions; refresh tokens only as their hashes."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server

    async def add(self, session: Session, *, refresh_hash: str) -> None:
        """Begin a session."""
        values = {**asdict(session), "user_id": str(session.user_id), "refresh": refresh_hash}
        del values["id"]
        key, index = _key(session.id), _index(session.user_id)
        await self._server.ask_together(
            ("HSET", key, *chain.from_iterable(values.items())),
            ("EXPIRE", key, SESSION_IDLE_SECONDS),
            ("ZADD", index, session.created_at, session.id),
            ("EXPIRE", index, SESSION_SECONDS),
        )

    async def find(self, session_id: str) -> Session | None:
        """The session of that id, if it has not ended."""
        found = await self._server.ask(("HGETALL", _key(session_id)))
        return _read(session_id, found)

    async def find_with_account(
        self, session_id: str, user_id: uuid.UUID
    ) -> tuple[Session | None, Account | None]:
        """A session, and the account it should be of as far as it is remembered: at one go."""
        found, text = await self._server.ask_all(
            ("HGETALL", _key(session_id)), ("GET", actor_key(user_id))
        )
        return _read(session_id, found), read_account(text)

    async def rotate(
        self, session_id: str, *, presented: str, successor: str, leeway_seconds: int
    ) -> Rotation:
        """Replace the refresh token by its successor; both are given by their hashes.

        A token that was replaced before ends the session: one of two holders is a thief.
        """
        limits = (leeway_seconds, SESSION_SECONDS, SESSION_IDLE_SECONDS)
        arguments = (presented, successor, *limits)
        found: Rotation = await self._server.ask(("EVAL", _ROTATE, 1, _key(session_id), *arguments))
        return found

    async def remove(self, user_id: uuid.UUID, session_id: str) -> bool:
        """End a session of that user's; False if there was none."""
        session = await self.find(session_id)
        if session is None or session.user_id != user_id:
            return False
        removed = await self._server.ask(("DEL", _key(session_id)))
        await self._server.ask(("ZREM", _index(user_id), session_id))
        return bool(removed)

    async def list_of(self, user_id: uuid.UUID) -> list[Session]:
        """Sessions of a user, newest first; forgets those that have ended."""
        index = _index(user_id)
        ids: list[str] = await self._server.ask(("ZREVRANGE", index, 0, -1))
        found = [(session_id, await self.find(session_id)) for session_id in ids]
        ended = [session_id for session_id, session in found if session is None]
        if ended:
            await self._server.ask(("ZREM", index, *ended))
        return [session for _, session in found if session is not None]


def _key(session_id: str) -> str:
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
    )
