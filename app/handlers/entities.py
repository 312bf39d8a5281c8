"""The catalogue's entities."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.access import Access, ActorDep, Scope, access
from app.constants import MAX_PAGE_SIZE, PAGE_SIZE
from app.dependencies import CatalogueDep, EntityKeyDep
from app.handlers.conditional import CHANGE_RESPONSES, READ_RESPONSES, IfMatch, answer
from app.handlers.responses import CATALOGUE_RESPONSES, problems, with_responses
from app.models.entities import (
    EntityChange,
    EntityField,
    EntityNew,
    EntityOut,
    EntityPage,
    EntityQuery,
    Facets,
)
from app.services.cache import Snapshot
from app.services.catalogue import LIST_FIELDS

router = APIRouter(prefix="/api/v1/entities", tags=["catalogue"], responses=CATALOGUE_RESPONSES)

_READ = access(Access.READ, scope=Scope.CATALOGUE_READ)
_WRITE = access(Access.MEMBER, scope=Scope.CATALOGUE_WRITE)


class ListQuery(EntityQuery):
    """Which entities, what of them, and which page."""

    fields: Annotated[list[EntityField], Field(default_factory=lambda: list(LIST_FIELDS))]
    cursor: Annotated[str | None, Query(max_length=1000)] = None
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE)] = PAGE_SIZE


@router.get("", response_model=EntityPage, **with_responses(_READ, READ_RESPONSES))
async def list_entities(
    request: Request, catalogue: CatalogueDep, query: Annotated[ListQuery, Query()]
) -> Response:
    """One page of the entities that fit, in order of kind, namespace and name."""
    conditions = EntityQuery(**query.model_dump(include=set(EntityQuery.model_fields)))
    page = await catalogue.read_page(
        conditions, fields=query.fields, cursor=query.cursor, limit=query.limit
    )
    return answer(request, page)


@router.post("", status_code=201, response_model=EntityOut, **with_responses(_WRITE, problems(409)))
async def create_entity(catalogue: CatalogueDep, actor: ActorDep, new: EntityNew) -> Response:
    """Add an entity that your team owns."""
    created = await catalogue.create(actor, new)
    place = f"/api/v1/entities/{new.kind}/{new.namespace}/{new.name}"
    return _written(created, 201, {"Location": place})


@router.get("/facets", **_READ)
async def get_facets(catalogue: CatalogueDep) -> Facets:
    """What lists can be narrowed by, with how many entities each value has."""
    return await catalogue.facets()


@router.get(
    "/{kind}/{namespace}/{name}",
    response_model=EntityOut,
    **with_responses(_READ, READ_RESPONSES),
)
async def get_entity(request: Request, catalogue: CatalogueDep, key: EntityKeyDep) -> Response:
    """One entity."""
    return answer(request, await catalogue.read(key))


@router.put(
    "/{kind}/{namespace}/{name}",
    response_model=EntityOut,
    **with_responses(_WRITE, CHANGE_RESPONSES),
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
    **with_responses(_WRITE, CHANGE_RESPONSES),
)
async def delete_entity(
    catalogue: CatalogueDep, actor: ActorDep, key: EntityKeyDep, if_match: IfMatch
) -> None:
    """Remove an entity with its relations, documents and pages."""
    await catalogue.delete(actor, key, if_match=if_match)


def _written(snapshot: Snapshot, status: int, headers: dict[str, str]) -> Response:
    return Response(
        snapshot.body, status, {"ETag": snapshot.etag, **headers}, media_type="application/json"
    )
