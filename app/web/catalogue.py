"""The catalogue: its list, and an entity with what it relates to."""

from typing import Any, get_args

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import ValidationError

from app.constants import MAX_PAGE_SIZE
from app.exceptions import InvalidRequestError, NotFoundError, PortalError
from app.http.access import Access, ActorDep, access
from app.http.dependencies import CatalogueDep, RelationsDep
from app.models.entities import EntityKey, EntityQuery
from app.models.relations import RelationType
from app.web.annotations import annotation_links
from app.web.entity_frame import Frame, FrameDep, OwnedFrameDep, entity_key
from app.web.forms import Form
from app.web.graph import draw
from app.web.links import with_query
from app.web.views import View, ViewDep
from app.web.wording import KIND_NAMES, RELATION_NAMES

router = APIRouter(include_in_schema=False)
PAGE_ENTRIES = 24
_FILTERS = ("kind", "namespace", "owner", "lifecycle", "tag")


@router.get("/", **access(Access.READ))
async def show_catalogue(
    request: Request, view: ViewDep, catalogue: CatalogueDep, cursor: str | None = None
) -> HTMLResponse:
    """What there is, narrowed by what was chosen."""
    given = request.query_params
    chosen = {name: given[name] for name in _FILTERS if given.get(name)}
    query = _read_query(chosen)
    page = await catalogue.list_page(query, cursor=cursor or None, limit=PAGE_ENTRIES)
    following = {**chosen, "cursor": page.next_cursor}
    return view.render(
        "catalogue/list.html",
        area="catalogue",
        entities=page.items,
        facets=await catalogue.facets(),
        total=await catalogue.count(query),
        chosen=chosen,
        is_filtered=bool(chosen),
        is_later_page=bool(cursor),
        next_url=with_query("/", following) if page.next_cursor else "",
        may_create=view.may_write,
    )


@router.get("/entities/{kind}/{namespace}/{name}", **access(Access.READ))
async def show_entity(
    view: ViewDep, frame: FrameDep, catalogue: CatalogueDep, relations: RelationsDep
) -> HTMLResponse:
    """One entity, with all that is known of it."""
    return await _show(view, frame, catalogue, relations, Form())


@router.post("/entities/{kind}/{namespace}/{name}/relations", **access(Access.MEMBER))
async def add_relation(
    view: ViewDep,
    actor: ActorDep,
    frame: OwnedFrameDep,
    catalogue: CatalogueDep,
    relations: RelationsDep,
) -> Response:
    """Say how the entity relates to another."""
    form = await Form.read(view.request)
    try:
        await relations.add(actor, frame.key, *_read_relation(form))
    except PortalError as error:
        return await _show(view, frame, catalogue, relations, form.refused(error))
    return view.redirect(frame.path, notice="relation-added")


@router.post("/entities/{kind}/{namespace}/{name}/relations/remove", **access(Access.MEMBER))
async def remove_relation(
    view: ViewDep, actor: ActorDep, frame: OwnedFrameDep, relations: RelationsDep
) -> Response:
    """Take such a statement back."""
    type_, target = _read_relation(await Form.read(view.request))
    await relations.remove(actor, frame.key, type_, target)
    return view.redirect(frame.path, notice="relation-removed")


async def _show(
    view: View, frame: Frame, catalogue: CatalogueDep, relations: RelationsDep, form: Form
) -> HTMLResponse:
    related = await relations.list(frame.key)
    known = related.incoming or related.outgoing
    return view.render(
        "catalogue/entity.html",
        form=form,
        tab="overview",
        relations=related,
        annotation_links=annotation_links(frame.entity.annotations),
        graph=draw(frame.entity, related) if known else None,
        targets=await _targets(frame, catalogue) if frame.may_change else [],
        relation_choices=[(name, texts[0]) for name, texts in RELATION_NAMES.items()],
        **frame.context(),
    )


async def _targets(frame: Frame, catalogue: CatalogueDep) -> list[tuple[str, str]]:
    page = await catalogue.list_page(EntityQuery(), limit=MAX_PAGE_SIZE)
    keys = [(EntityKey(item.kind, item.namespace, item.name), item.title) for item in page.items]
    return [
        (str(key), f"{KIND_NAMES[key.kind]}: {title}") for key, title in keys if key != frame.key
    ]


def _read_query(chosen: dict[str, Any]) -> EntityQuery:
    try:
        return EntityQuery.model_validate(chosen)
    except ValidationError as error:
        names = ", ".join(str(item["loc"][0]) for item in error.errors())
        raise InvalidRequestError(f"{names}: no entry can have such a value") from error


def _read_relation(form: Form) -> tuple[RelationType, EntityKey]:
    kind, _, rest = form.text("target").partition(":")
    namespace, _, name = rest.partition("/")
    try:
        target = entity_key(kind, namespace, name)
    except NotFoundError as error:
        raise InvalidRequestError("choose the entry at the other end") from error
    for type_ in get_args(RelationType):
        if type_ == form.text("type"):
            return type_, target
    raise InvalidRequestError("choose how the two relate")
