"""Pages of documentation."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from app.http.access import ActorDep, change_catalogue, read_catalogue
from app.http.conditional import IfMatch, MaybeIfMatch, respond
from app.http.dependencies import EntityKeyDep, PagesDep
from app.http.responses import CATALOGUE_ERRORS, CHANGE_ERRORS, CONDITIONAL_READ, problems
from app.models.pages import PageChange, PageList, PageOut, Slug
from app.services.cache import Snapshot
from app.services.pages import page_tag

router = APIRouter(
    prefix="/api/v1/entities/{kind}/{namespace}/{name}/pages",
    tags=["pages"],
    responses=problems(*CATALOGUE_ERRORS),
)

_Slug = Annotated[Slug, Path(examples=["migrating-to-2"])]


@router.get("", **read_catalogue())
async def list_pages(pages: PagesDep, key: EntityKeyDep) -> PageList:
    """An entity's pages by title."""
    return await pages.list(key)


@router.get("/{slug}", response_model=PageOut, **read_catalogue(responses=CONDITIONAL_READ))
async def get_page(request: Request, pages: PagesDep, key: EntityKeyDep, slug: _Slug) -> Response:
    """A page as written, and as safe HTML."""
    page = await pages.get(key, slug)
    return respond(request, Snapshot(page.model_dump_json().encode(), page_tag(page)))


@router.put(
    "/{slug}",
    response_model=PageOut,
    **change_catalogue(
        errors=(413, *CHANGE_ERRORS),
        responses={201: {"model": PageOut, "description": "A new page."}},
    ),
)
async def put_page(
    pages: PagesDep,
    actor: ActorDep,
    key: EntityKeyDep,
    slug: _Slug,
    change: PageChange,
    response: Response,
    if_match: MaybeIfMatch = None,
) -> PageOut:
    """Create or replace a page of an entity that your team owns."""
    page, is_new = await pages.put(actor, key, slug, change, if_match=if_match)
    response.status_code = 201 if is_new else 200
    response.headers["ETag"] = page_tag(page)
    return page


@router.delete("/{slug}", status_code=204, **change_catalogue(errors=CHANGE_ERRORS))
async def delete_page(
    pages: PagesDep, actor: ActorDep, key: EntityKeyDep, slug: _Slug, if_match: IfMatch
) -> None:
    """Remove a page."""
    await pages.delete(actor, key, slug, if_match=if_match)
