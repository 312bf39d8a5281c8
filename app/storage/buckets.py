"""Token buckets in Redis, by its clock: replicas agree however their own clocks go."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.exceptions import NoScriptError

from app.constants import LIMIT_WINDOW_SECONDS
from app.storage.redis_server import RedisServer
from app.storage.shared_connection import Command

# All buckets give a token, or none does.
_TAKE = """
local time = redis.call('TIME')
local now, window = time[1] + time[2] / 1000000, tonumber(ARGV[1])
local levels, refused = {}, 0
for i, key in ipairs(KEYS) do
    local capacity = tonumber(ARGV[i + 1])
    local stored = redis.call('HMGET', key, 'level', 'at')
    levels[i] = capacity
    if stored[1] then
        local gained = math.max(0, now - tonumber(stored[2])) * capacity / window
        levels[i] = math.min(capacity, tonumber(stored[1]) + gained)
    end
    if levels[i] < 1 then refused = 1 end
end
local answer = {}
for i, key in ipairs(KEYS) do
    if refused == 0 then
        levels[i] = levels[i] - 1
        redis.call('HSET', key, 'level', string.format('%.9f', levels[i]),
            'at', string.format('%.6f', now))
        redis.call('EXPIRE', key, window)
    end
    answer[i] = string.format('%.9f', levels[i])
end
return {refused, unpack(answer)}
"""
_TAKE_SHA1 = hashlib.sha1(_TAKE.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Bucket:
    """A limit of so many requests per window, of one client; `name` tells which limit."""

    name: str
    key: str
    capacity: int


@dataclass(frozen=True)
class Standing:
    """What is left in a bucket."""

    bucket: Bucket
    level: float

    @property
    def remaining(self) -> int:
        """Requests that would be let through now."""
        return math.floor(self.level)

    @property
    def full_in(self) -> int:
        """Seconds until nothing of the limit is used any more."""
        return self._seconds_to(self.bucket.capacity)

    @property
    def free_in(self) -> int:
        """Seconds until one request would be let through."""
        return self._seconds_to(1)

    def _seconds_to(self, level: int) -> int:
        missing = max(0.0, level - self.level)
        return math.ceil(missing * LIMIT_WINDOW_SECONDS / self.bucket.capacity)


class Buckets:
    """Takes tokens."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server

    async def take(self, buckets: Sequence[Bucket]) -> tuple[bool, list[Standing]]:
        """One token of each bucket, or of none; whether it was given, and how they stand.

        Raises
        ------
        UnavailableError
            Raised when Redis is away.
        """
        keys = [f"limit:{bucket.name}:{bucket.key}" for bucket in buckets]
        arguments = [LIMIT_WINDOW_SECONDS, *(bucket.capacity for bucket in buckets)]
        refused, *levels = await self._run((len(keys), *keys, *arguments))
        standings = [
            Standing(bucket, float(level)) for bucket, level in zip(buckets, levels, strict=True)
        ]
        return not refused, standings

    async def _run(self, arguments: Command) -> list[Any]:
        try:
            answer: list[Any] = await self._server.ask(("EVALSHA", _TAKE_SHA1, *arguments))
        except NoScriptError:
            # Redis has been started since somebody sent it.
            answer = await self._server.ask(("EVAL", _TAKE, *arguments))
        return answer
