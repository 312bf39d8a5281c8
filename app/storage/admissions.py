"""All that Redis knows of a request with an access token, in one round trip."""

import uuid
from dataclasses import dataclass

from app.constants import LIMIT_WINDOW_SECONDS
from app.storage.accounts import Account
from app.storage.actor_cache import actor_key, read_account
from app.storage.buckets import TAKE, Bucket, Charge, bucket_key, read_charge
from app.storage.generations import Lookup
from app.storage.redis_store import RedisStore
from app.storage.sessions import session_key

# A request is charged here when nothing else has to be known: an account that is not cached, and
# a session that has ended, are decided elsewhere.
_ADMIT = f"""
{TAKE}
local user, capacity = ARGV[1], tonumber(ARGV[3])
local session = redis.call('HMGET', KEYS[1], 'user_id', 'epoch')
if session[1] ~= user then return {{}} end
local text, charge = redis.call('GET', KEYS[2]), {{}}
if text and string.sub(text, 1, 1) == '{{' then
    local account = cjson.decode(text)
    if account.is_active and account.session_epoch == tonumber(session[2]) then
        if capacity > 0 then charge = take({{KEYS[3]}}, tonumber(ARGV[2]), {{capacity}}) end
    end
end
return {{session[2], text, charge, KEYS[4] and redis.call('GET', KEYS[4]) or false}}
"""


@dataclass(frozen=True, slots=True)
class Admission:
    """A session that has not ended; account and charge are None if they are not known yet."""

    epoch: int
    account: Account | None
    charge: Charge | None


class Admissions:
    """Finds sessions with their accounts, charges requests, and looks a generation up."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        self._admit = store.register_script(_ADMIT)

    async def admit(
        self, session_id: str, user_id: uuid.UUID, *, bucket: Bucket | None, lookup: Lookup | None
    ) -> Admission | None:
        """The admission to that user's session, None if it has ended.

        Parameters
        ----------
        bucket
            What the request is charged to; without one it is not charged.
        lookup
            The generation of a response that the request will need, to be looked up too.

        Raises
        ------
        UnavailableError
            Raised when Redis is away.
        """
        keys = [session_key(session_id), actor_key(user_id), bucket_key(bucket) if bucket else ""]
        capacity = bucket.capacity if bucket else 0
        arguments: list[str | int] = [str(user_id), LIMIT_WINDOW_SECONDS, capacity]
        if lookup is not None and lookup.is_done:
            lookup = None
        if lookup is not None:
            keys.append(lookup.key)
        async with self._store.reach():
            reply = await self._admit(keys=keys, args=arguments)
        if not reply:
            return None
        epoch, text, charge, generation = reply
        if lookup is not None:
            lookup.fill(generation)
        taken = read_charge([bucket], charge) if bucket and charge else None
        return Admission(int(epoch), read_account(text), taken)
