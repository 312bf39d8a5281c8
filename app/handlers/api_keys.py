"""The actor's own API keys."""

import uuid

from fastapi import APIRouter

from app.access import Access, ActorDep, access
from app.dependencies import ApiKeysDep
from app.models.api_keys import ApiKeyCreated, ApiKeyIn, ApiKeyList

router = APIRouter(prefix="/api/v1/me/api-keys", tags=["api keys"])


@router.get("", **access(Access.SIGNED_IN))
async def list_keys(actor: ActorDep, api_keys: ApiKeysDep) -> ApiKeyList:
    """The actor's keys that were not revoked; the keys themselves are shown once only."""
    return ApiKeyList(items=await api_keys.list_of(actor))


@router.post("", status_code=201, **access(Access.SIGNED_IN, problems=(409, 422)))
async def create_key(actor: ActorDep, api_keys: ApiKeysDep, wanted: ApiKeyIn) -> ApiKeyCreated:
    """Make a key for a program. This answer is the only one that has it."""
    return await api_keys.create(actor, wanted)


@router.delete("/{key_id}", status_code=204, **access(Access.SIGNED_IN, problems=(404, 422)))
async def revoke_key(actor: ActorDep, api_keys: ApiKeysDep, key_id: uuid.UUID) -> None:
    """End a key, at once."""
    await api_keys.revoke(actor, key_id)
