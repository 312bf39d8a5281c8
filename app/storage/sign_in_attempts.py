"""Sign-ins that have begun, while their user is at the provider: `sign-in:{state}` in Redis."""

import json
from dataclasses import asdict, dataclass

from app.constants import SIGN_IN_SECONDS
from app.storage.redis_store import RedisStore


@dataclass(frozen=True)
class Attempt:
    """What the provider's answer is held against, and the path that its user is on the way to."""

    nonce: str
    verifier: str
    target: str


class SignInAttempts:
    """Keeps each until it is taken, once."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    async def add(self, state: str, attempt: Attempt) -> None:
        """Keep it for as long as somebody may take at the provider."""
        async with self._store.reach() as redis:
            await redis.set(_key(state), json.dumps(asdict(attempt)), ex=SIGN_IN_SECONDS)

    async def take(self, state: str) -> Attempt | None:
        """The attempt of that state, which is used up by this."""
        async with self._store.reach() as redis:
            text = await redis.getdel(_key(state))
        return None if text is None else Attempt(**json.loads(text))


def _key(state: str) -> str:
    return f"sign-in:{state}"
