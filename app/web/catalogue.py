"""The catalogue: its list, and an entity with what it relates to."""

import re
from collections.abc import Sequence
from typing import Any, get_args

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import ValidationError

from app.exceptions import InvalidRequestError, NotFoundError, PortalError
from app.http.access import Access, ActorDep, access
from app.http.dependencies import CatalogueDep, RelationsDep, SearchDep
from app.models.entities import EntityItem, EntityKey, EntityQuery, Facet, Facets
from app.models.relations import RelationType
from app.web.annotations import annotation_links
from app.web.entity_frame import Frame, FrameDep, OwnedFrameDep, entity_key
from app.web.forms import Form
from app.web.links import next_page
from app.web.views import View, ViewDep
from app.web.wording import KIND_NAMES, RELATION_NAMES

router = APIRouter(include_in_schema=False)
PAGE_ENTRIES = 24
_SHOWN_TEAMS, _SHOWN_OWNED, _SHOWN_TARGETS = 3, 4, 20
_REFERENCE = re.compile(r"[a-z]+:[^/]+/.+")
Target = tuple[str, str]
"""A reference such as `api:default/ledger-api`, and what people call it."""
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
    facets = await catalogue.facets()
    return view.render(
        "catalogue/list.html",
        area="catalogue",
        entities=page.items,
        facets=facets,
        total=await catalogue.count(query),
        chosen=chosen,
        is_filtered=bool(chosen),
        is_later_page=bool(cursor),
        next_url=next_page("/", chosen, page.next_cursor),
        may_create=view.may_write,
        owned=[] if chosen or cursor else await _owned(view, catalogue, facets),
    )


async def _owned(
    view: View, catalogue: CatalogueDep, facets: Facets
) -> list[tuple[Facet, Sequence[EntityItem]]]:
    """The reader's teams that own something: how much, and the first of it."""
    teams = view.actor.teams if view.actor else ()
    own = sorted((facet for facet in facets.owner if facet.value in teams), key=lambda f: f.value)
    return [
        (team, (await catalogue.list_page(EntityQuery(owner=team.value), limit=_SHOWN_OWNED)).items)
        for team in own[:_SHOWN_TEAMS]
    ]


@router.get("/entities/{kind}/{namespace}/{name}", **access(Access.READ))
async def show_entity(view: ViewDep, frame: FrameDep, relations: RelationsDep) -> HTMLResponse:
    """One entity, with all that is known of it."""
    return await _show(view, frame, relations, Form())


@router.post("/entities/{kind}/{namespace}/{name}/relations", **access(Access.MEMBER))
async def add_relation(
    view: ViewDep,
    actor: ActorDep,
    frame: OwnedFrameDep,
    relations: RelationsDep,
    search: SearchDep,
) -> Response:
    """Say how the entity relates to another, which its reference or words of it name."""
    form = await Form.read(view.request)
    targets: list[Target] = []
    try:
        if not _REFERENCE.fullmatch(wanted := form.text("target")):
            targets = await _find_targets(search, frame.key, wanted)
            wanted = _only(targets)
        await relations.add(actor, frame.key, _read_type(form), _read_key(wanted))
    except PortalError as error:
        return await _show(view, frame, relations, form.refused(error), targets)
    return view.redirect(frame.path, notice="relation-added")


@router.post("/entities/{kind}/{namespace}/{name}/relations/remove", **access(Access.MEMBER))
async def remove_relation(
    view: ViewDep, actor: ActorDep, frame: OwnedFrameDep, relations: RelationsDep
) -> Response:
    """Take such a statement back."""
    form = await Form.read(view.request)
    await relations.remove(actor, frame.key, _read_type(form), _read_key(form.text("target")))
    return view.redirect(frame.path, notice="relation-removed")


async def _show(
    view: View,
    frame: Frame,
    relations: RelationsDep,
    form: Form,
    targets: Sequence[Target] = (),
) -> HTMLResponse:
    return view.render(
        "catalogue/entity.html",
        form=form,
        tab="overview",
        relations=await relations.list(frame.key),
        annotation_links=annotation_links(frame.entity.annotations),
        targets=targets,
        relation_choices=[(name, texts[0]) for name, texts in RELATION_NAMES.items()],
        **frame.context(),
    )


async def _find_targets(search: SearchDep, own: EntityKey, words: str) -> list[Target]:
    """References and titles of the entities with these words."""
    page = await search.find(words, limit=_SHOWN_TARGETS)
    hits = [hit for hit in page.items if hit.type == "entity"]
    keys = [(EntityKey(hit.kind, hit.namespace, hit.name), hit.title) for hit in hits]
    return [(str(key), f"{KIND_NAMES[key.kind]}: {title}") for key, title in keys if key != own]


def _only(targets: Sequence[Target]) -> str:
    if not targets:
        raise NotFoundError("no other entry has these words; try fewer or other ones")
    if len(targets) > 1:
        raise InvalidRequestError("more than one entry has these words; choose which you mean")
    return targets[0][0]


def _read_query(chosen: dict[str, Any]) -> EntityQuery:
    try:
        return EntityQuery.model_validate(chosen)
    except ValidationError as error:
        names = ", ".join(str(item["loc"][0]) for item in error.errors())
        raise InvalidRequestError(f"{names}: no entry can have such a value") from error


def _read_key(reference: str) -> EntityKey:
    kind, _, rest = reference.partition(":")
    namespace, _, name = rest.partition("/")
    try:
        return entity_key(kind, namespace, name)
    except NotFoundError as error:
        raise InvalidRequestError("choose the entry at the other end") from error


def _read_type(form: Form) -> RelationType:
    for type_ in get_args(RelationType):
        if type_ == form.text("type"):
            return type_
    raise InvalidRequestError("choose how the two relate")
