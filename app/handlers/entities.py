"""The catalogue."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.constants import MAX_PAGE_SIZE, PAGE_SIZE
from app.dependencies import CatalogueDep
from app.models.entities import EntityOut, EntityPage
from app.models.problem import Problem

router = APIRouter(
    prefix="/api/v1/entities",
    tags=["catalogue"],
    responses={404: {"model": Problem}, 503: {"model": Problem}},
)


@router.get("")
async def list_entities(
    catalogue: CatalogueDep,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE)] = PAGE_SIZE,
) -> EntityPage:
    """One page of the catalogue."""
    return await catalogue.list_page(cursor=cursor, limit=limit)


@router.get("/{kind}/{namespace}/{name}")
async def get_entity(catalogue: CatalogueDep, kind: str, namespace: str, name: str) -> EntityOut:
    """One entry of the catalogue."""
    return await catalogue.get((kind, namespace, name))
