"""Who the last requests were of: accounts in Redis, so that most requests ask PostgreSQL nothing.

A change announces itself before it happens: for longer than any request may last, the account is
then not remembered, so what was read before the change cannot come back after it.
"""

import json
import uuid
from dataclasses import asdict, fields

from app.constants import ACTOR_CACHE_SECONDS, ACTOR_CHANGE_SECONDS
from app.storage.accounts import Account
from app.storage.redis_server import RedisServer

_CHANGING = "changing"
_SECRET = "password_hash"
_NAMES = {field.name for field in fields(Account)}


class ActorCache:
    """Accounts by id, without their passwords."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server

    async def find(self, user_id: uuid.UUID) -> Account | None:
        """The account as remembered, if it is."""
        text = await self._server.ask(("GET", actor_key(user_id)))
        return read_account(text)

    async def remember(self, account: Account) -> None:
        """Keep an account, unless it is remembered or being changed."""
        values = {**asdict(account), "id": str(account.id)}
        del values[_SECRET]
        text = json.dumps(values)
        await self._server.ask(
            ("SET", actor_key(account.id), text, "EX", ACTOR_CACHE_SECONDS, "NX")
        )

    async def announce_change(self, *user_ids: uuid.UUID) -> None:
        """Forget accounts that are about to be changed; to be called before the change.

        Raises
        ------
        UnavailableError
            Raised when Redis is away: the change must not happen then, it might not be seen.
        """
        if user_ids:
            await self._server.ask_all(
                *(
                    ("SET", actor_key(one), _CHANGING, "EX", ACTOR_CHANGE_SECONDS)
                    for one in user_ids
                )
            )


def read_account(text: str | None) -> Account | None:
    """An account from its text in Redis; None for none, and for another release's."""
    if text is None or text == _CHANGING:
        return None
    values = json.loads(text)
    if {*values, _SECRET} != _NAMES:
        return None
    return Account(**{**values, "id": uuid.UUID(values["id"]), _SECRET: ""})


def actor_key(user_id: uuid.UUID) -> str:
    """Where an account is remembered."""
    return f"actor:{user_id}"
