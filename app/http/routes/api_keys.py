"""The actor's own API keys."""

import uuid

from fastapi import APIRouter

from app.http.access import Access, ActorDep, access
from app.http.dependencies import ApiKeysDep
from app.models.api_keys import ApiKeyCreated, ApiKeyIn, ApiKeyList

router = APIRouter(prefix="/api/v1/me/api-keys", tags=["api keys"])


@router.get("", **access(Access.SIGNED_IN))
async def list_keys(actor: ActorDep, api_keys: ApiKeysDep) -> ApiKeyList:
    """The actor's keys that were not revoked, without their secrets."""
    return ApiKeyList(items=await api_keys.list_of(actor))


@router.post("", status_code=201, **access(Access.SIGNED_IN, errors=(409, 422)))
async def create_key(actor: ActorDep, api_keys: ApiKeysDep, wanted: ApiKeyIn) -> ApiKeyCreated:
    """Create a key for a program. Only this response contains it."""
    return await api_keys.create(actor, wanted)


@router.delete("/{key_id}", status_code=204, **access(Access.SIGNED_IN, errors=(404, 422)))
async def revoke_key(actor: ActorDep, api_keys: ApiKeysDep, key_id: uuid.UUID) -> None:
    """Revoke a key, with immediate effect."""
    await api_keys.revoke(actor, key_id)
