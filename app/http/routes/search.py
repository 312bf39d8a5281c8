"""Search over all of the catalogue."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.http.access import read_catalogue
from app.http.dependencies import SearchDep
from app.http.responses import CATALOGUE_ERRORS, problems
from app.models.search import SearchPage
from app.models.texts import Kind, TeamName

router = APIRouter(prefix="/api/v1/search", tags=["search"], responses=problems(*CATALOGUE_ERRORS))


@router.get("", **read_catalogue())
async def search(
    service: SearchDep,
    q: Annotated[str, Query(max_length=200, description="Words; the last one may be incomplete.")],
    kind: Kind | None = None,
    owner: TeamName | None = None,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 20,
) -> SearchPage:
    """Entities, API documents and pages with all of the words, best matches first."""
    return await service.find(q, kind=kind, owner=owner, cursor=cursor, limit=limit)
