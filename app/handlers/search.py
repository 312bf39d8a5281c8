"""Search over all of the catalogue."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.access import Access, Scope, access
from app.dependencies import SearchDep
from app.handlers.responses import CATALOGUE_RESPONSES
from app.models.search import SearchPage
from app.models.texts import Kind

router = APIRouter(prefix="/api/v1/search", tags=["search"], responses=CATALOGUE_RESPONSES)


@router.get("", **access(Access.READ, scope=Scope.CATALOGUE_READ))
async def search(
    service: SearchDep,
    q: Annotated[str, Query(max_length=200, description="Words; the last may be unfinished.")],
    kind: Kind | None = None,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 20,
) -> SearchPage:
    """Entities, API documents and pages that have all the words, the best first."""
    return await service.find(q, kind=kind, cursor=cursor, limit=limit)
