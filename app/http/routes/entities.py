"""The catalogue's entities."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.constants import MAX_PAGE_SIZE, PAGE_SIZE
from app.http.access import ActorDep, change_catalogue, read_catalogue
from app.http.conditional import IfMatch, respond
from app.http.dependencies import CatalogueDep, EntityKeyDep, services_of
from app.http.responses import CATALOGUE_ERRORS, CHANGE_ERRORS, CONDITIONAL_READ, problems
from app.models.entities import (
    EntityChange,
    EntityField,
    EntityKey,
    EntityNew,
    EntityOut,
    EntityPage,
    EntityQuery,
    Facets,
)
from app.services.cache import Snapshot
from app.services.catalogue import LIST_FIELDS
from app.storage.generations import Lookup

router = APIRouter(
    prefix="/api/v1/entities", tags=["catalogue"], responses=problems(*CATALOGUE_ERRORS)
)


def _plan_read(request: Request) -> Lookup:
    return services_of(request).catalogue.plan(EntityKey(**request.path_params))


class ListQuery(EntityQuery):
    """Which entities, which of their fields, and which page."""

    fields: Annotated[list[EntityField], Field(default_factory=lambda: list(LIST_FIELDS))]
    cursor: Annotated[str | None, Query(max_length=1000)] = None
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE)] = PAGE_SIZE


@router.get("", response_model=EntityPage, **read_catalogue(responses=CONDITIONAL_READ))
async def list_entities(
    request: Request, catalogue: CatalogueDep, query: Annotated[ListQuery, Query()]
) -> Response:
    """One page of the matching entities, in order of kind, namespace and name."""
    conditions = EntityQuery(**query.model_dump(include=set(EntityQuery.model_fields)))
    page = await catalogue.read_page(
        conditions, fields=query.fields, cursor=query.cursor, limit=query.limit
    )
    return respond(request, page)


@router.post("", status_code=201, response_model=EntityOut, **change_catalogue(errors=(409,)))
async def create_entity(catalogue: CatalogueDep, actor: ActorDep, new: EntityNew) -> Response:
    """Add an entity that your team owns."""
    created = await catalogue.create(actor, new)
    place = f"/api/v1/entities/{new.kind}/{new.namespace}/{new.name}"
    return _written(created, 201, {"Location": place})


@router.get("/facets", **read_catalogue())
async def get_facets(catalogue: CatalogueDep) -> Facets:
    """The values that lists can be filtered by, and how many entities have each."""
    return await catalogue.facets()


@router.get(
    "/{kind}/{namespace}/{name}",
    response_model=EntityOut,
    **read_catalogue(responses=CONDITIONAL_READ, plan=_plan_read),
)
async def get_entity(request: Request, key: EntityKeyDep) -> Response:
    """One entity."""
    read = services_of(request).catalogue.read
    return respond(request, await read(key, request.state.lookup))


@router.put(
    "/{kind}/{namespace}/{name}",
    response_model=EntityOut,
    **change_catalogue(errors=CHANGE_ERRORS),
)
async def replace_entity(
    catalogue: CatalogueDep,
    actor: ActorDep,
    key: EntityKeyDep,
    change: EntityChange,
    if_match: IfMatch,
) -> Response:
    """Replace an entity's content; its key stays."""
    return _written(await catalogue.replace(actor, key, change, if_match=if_match), 200, {})


@router.delete(
    "/{kind}/{namespace}/{name}",
    status_code=204,
    **change_catalogue(errors=CHANGE_ERRORS),
)
async def delete_entity(
    catalogue: CatalogueDep, actor: ActorDep, key: EntityKeyDep, if_match: IfMatch
) -> None:
    """Remove an entity with its own relations, documents and pages."""
    await catalogue.delete(actor, key, if_match=if_match)


def _written(snapshot: Snapshot, status: int, headers: dict[str, str]) -> Response:
    return Response(
        snapshot.body, status, {"ETag": snapshot.etag, **headers}, media_type="application/json"
    )
