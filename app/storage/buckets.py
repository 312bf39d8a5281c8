"""Token buckets in Redis, by its clock: replicas agree even if their own clocks do not."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.constants import LIMIT_WINDOW_SECONDS
from app.storage.redis_store import RedisStore

TAKE = """
local function take(keys, window, capacities)
    local time = redis.call('TIME')
    local now, levels, refused = time[1] + time[2] / 1000000, {}, 0
    for i, key in ipairs(keys) do
        local stored = redis.call('HMGET', key, 'level', 'at')
        levels[i] = capacities[i]
        if stored[1] then
            local gained = math.max(0, now - tonumber(stored[2])) * capacities[i] / window
            levels[i] = math.min(capacities[i], tonumber(stored[1]) + gained)
        end
        if levels[i] < 1 then refused = 1 end
    end
    local answer = {}
    for i, key in ipairs(keys) do
        if refused == 0 then
            levels[i] = levels[i] - 1
            redis.call('HSET', key, 'level', string.format('%.9f', levels[i]),
                'at', string.format('%.6f', now))
            redis.call('EXPIRE', key, window)
        end
        answer[i] = string.format('%.9f', levels[i])
    end
    return {refused, unpack(answer)}
end
"""
"""A function for scripts: all buckets give a token, or none does."""

_TAKE = f"""
{TAKE}
local capacities = {{}}
for i in ipairs(KEYS) do capacities[i] = tonumber(ARGV[i + 1]) end
return take(KEYS, tonumber(ARGV[1]), capacities)
"""


@dataclass(frozen=True)
class Bucket:
    """A limit of `capacity` requests per window for one client; `name` is the limit's."""

    name: str
    key: str
    capacity: int


@dataclass(frozen=True)
class Standing:
    """How many tokens a bucket still holds."""

    bucket: Bucket
    level: float

    @property
    def remaining(self) -> int:
        """Requests that would be allowed now."""
        return math.floor(self.level)

    @property
    def full_in(self) -> int:
        """Seconds until the bucket is full."""
        return self._seconds_to(self.bucket.capacity)

    @property
    def free_in(self) -> int:
        """Seconds until one request would be allowed."""
        return self._seconds_to(1)

    def _seconds_to(self, level: int) -> int:
        missing = max(0.0, level - self.level)
        return math.ceil(missing * LIMIT_WINDOW_SECONDS / self.bucket.capacity)


Charge = tuple[bool, list[Standing]]
"""Whether a token was taken of each bucket, and what is left."""


class Buckets:
    """Takes tokens."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        self._take = store.register_script(_TAKE)

    async def take(self, buckets: Sequence[Bucket]) -> Charge:
        """Take one token of each bucket, or of none.

        Raises
        ------
        UnavailableError
            Raised when Redis is away.
        """
        keys = [bucket_key(bucket) for bucket in buckets]
        arguments = [LIMIT_WINDOW_SECONDS, *(bucket.capacity for bucket in buckets)]
        async with self._store.reach():
            reply = await self._take(keys=keys, args=arguments)
        return read_charge(buckets, reply)


def bucket_key(bucket: Bucket) -> str:
    """The key that a bucket is stored under."""
    return f"limit:{bucket.name}:{bucket.key}"


def read_charge(buckets: Sequence[Bucket], reply: Sequence[Any]) -> Charge:
    """The charge that a script's `take` returned."""
    refused, *levels = reply
    standings = [
        Standing(bucket, float(level)) for bucket, level in zip(buckets, levels, strict=True)
    ]
    return not refused, standings
