"""API keys for programs: they may do less than their owners, and they expire."""

import hmac
import secrets
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.constants import MAX_KEYS_PER_USER
from app.exceptions import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    NotSignedInError,
    UnavailableError,
)
from app.models.access import Actor, Role, Scope
from app.models.api_keys import ApiKeyCreated, ApiKeyIn, ApiKeyOut
from app.services.accounts import require_epoch
from app.services.sessions import actor_of
from app.services.tokens import token_digest
from app.storage.api_keys import add_key, find_key, hash_of_key, list_keys, record_uses, revoke_key
from app.storage.audit import add_event
from app.storage.database import Database
from app.storage.key_cache import KeyCache, StoredKey

KEY_MARK = "dpk_"
_PREFIX_CHARACTERS = 12
_SECRET_BYTES = 32
_OF_ROLE: dict[Role, frozenset[Scope]] = {
    "viewer": frozenset({Scope.CATALOGUE_READ}),
    "member": frozenset({Scope.CATALOGUE_READ, Scope.CATALOGUE_WRITE}),
    "admin": frozenset(Scope),
}


class ApiKeys:
    """Creates, verifies and revokes keys. Times of last use are written for many keys together."""

    def __init__(self, database: Database, cache: KeyCache) -> None:
        self._database = database
        self._cache = cache
        self._uses: dict[uuid.UUID, datetime] = {}

    async def authenticate(self, key: str) -> Actor:
        """The key's owner as an actor, limited to the key's scopes.

        Raises
        ------
        NotSignedInError
            Raised, without the reason, when the key is unknown, has expired or was revoked, or its
            owner is deactivated.
        """
        found = await self._find(key)
        if found is None or not found.owner.is_active:
            raise NotSignedInError("the API key is not valid")
        self._uses[found.id] = datetime.now(UTC)
        scopes = frozenset(map(Scope, found.scopes)) & _OF_ROLE[found.owner.role]
        return replace(actor_of(found.owner, None), key_id=found.id, scopes=scopes)

    async def create(self, actor: Actor, wanted: ApiKeyIn) -> ApiKeyCreated:
        """A new key of the actor, returned this one time.

        Raises
        ------
        ForbiddenError
            Raised for scopes above the actor's own role.
        ConflictError
            Raised when the actor has the maximum number of keys.
        NotSignedInError
            Raised when the session was ended meanwhile.
        """
        above = sorted(wanted.scopes - _OF_ROLE[actor.role])
        if above:
            raise ForbiddenError(f"scopes: {', '.join(above)} is above the role {actor.role}")
        async with self._database.connect() as connection:
            await require_epoch(connection, actor)
            if len(await list_keys(connection, actor.user_id)) >= MAX_KEYS_PER_USER:
                raise ConflictError(f"you have {MAX_KEYS_PER_USER} keys: revoke one first")
            prefix = _new_prefix()
            key = f"{KEY_MARK}{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}"
            added = await add_key(
                connection,
                user_id=actor.user_id,
                name=wanted.name,
                prefix=prefix,
                sha256=token_digest(key),
                scopes=sorted(wanted.scopes),
                lifetime=timedelta(days=wanted.days),
            )
            if added is None:
                raise ConflictError("the key's prefix is taken: try again")
            detail = {"name": wanted.name, "scopes": sorted(wanted.scopes), "days": wanted.days}
            await add_event(connection, actor, "api_key.create", _target(prefix), detail)
        return ApiKeyCreated(**added.model_dump(), key=key)

    async def list_of(self, actor: Actor) -> list[ApiKeyOut]:
        """The actor's keys, newest first."""
        async with self._database.connect() as connection:
            return await list_keys(connection, actor.user_id)

    async def revoke(self, actor: Actor, key_id: uuid.UUID) -> None:
        """End one of the actor's keys.

        Raises
        ------
        NotFoundError
            Raised when the actor has no such key.
        """
        async with self._database.connect() as connection:
            sha256 = await hash_of_key(connection, actor.user_id, key_id)
            if sha256 is not None:
                await self._cache.announce_revocation(sha256)
            prefix = await revoke_key(connection, actor.user_id, key_id)
            if prefix is None:
                raise NotFoundError("there is no such key")
            await add_event(connection, actor, "api_key.revoke", _target(prefix))

    async def flush_uses(self) -> None:
        """Write the times of last use; what cannot be written now is kept for later."""
        uses, self._uses = self._uses, {}
        if not uses:
            return
        try:
            async with self._database.connect() as connection:
                await record_uses(connection, uses)
        except UnavailableError:
            self._uses = {**uses, **self._uses}

    async def _find(self, key: str) -> StoredKey | None:
        digest = token_digest(key)
        remembered = await self._cache.find(digest)
        if remembered is not None:
            return remembered
        prefix = key.removeprefix(KEY_MARK).partition("_")[0]
        if not (prefix.isascii() and prefix.isalnum()):
            return None
        async with self._database.connect() as connection:
            found = await find_key(connection, prefix)
        if found is None or not hmac.compare_digest(found.sha256, digest):
            return None
        await self._cache.remember(found)
        return found


def _new_prefix() -> str:
    return secrets.token_hex(_PREFIX_CHARACTERS // 2)


def _target(prefix: str) -> str:
    return f"api_key:{KEY_MARK}{prefix}"
