"""Forms of an entity: made, changed, deleted, imported."""

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi.responses import HTMLResponse
from pydantic import ValidationError

from app.constants import MAX_IMPORT_BYTES
from app.exceptions import PortalError
from app.http.access import Access, ActorDep, access
from app.http.dependencies import CatalogueDep, ImportsDep, TeamsDep
from app.models.entities import EntityChange, EntityNew
from app.web.entity_fields import read_fields, write_fields
from app.web.entity_frame import Frame, OwnedFrameDep
from app.web.forms import Form, read_file
from app.web.links import entity_path
from app.web.views import View, ViewDep

router = APIRouter(include_in_schema=False)
_LIFECYCLES = ("experimental", "production", "deprecated")
Choices = list[tuple[str, str]]
_SHOWN_ITEMS = 200
"""Documents that the page of an import lists; the API tells of all."""
_SHOWN_FILE_BYTES = 200_000


async def _owners(actor: ActorDep, teams: TeamsDep) -> Choices:
    """Teams that the actor may let own something."""
    known = await teams.list_all()
    return [(team.name, team.title) for team in known if actor.may_change(team.name)]


OwnersDep = Annotated[Choices, Depends(_owners)]


@router.get("/entities/new", **access(Access.MEMBER))
async def show_new(view: ViewDep, owners: OwnersDep) -> HTMLResponse:
    """An empty form."""
    start = {"kind": "component", "namespace": "default", "lifecycle": "production"}
    return _render(view, Form(start), owners)


@router.post("/entities/new", **access(Access.MEMBER))
async def create(
    view: ViewDep, actor: ActorDep, owners: OwnersDep, catalogue: CatalogueDep
) -> Response:
    """Create the entity."""
    form = await Form.read(view.request)
    key = {name: form.text(name) for name in ("kind", "namespace", "name")}
    try:
        new = EntityNew.model_validate({**key, **read_fields(form)})
        await catalogue.create(actor, new)
    except (PortalError, ValidationError) as error:
        return _render(view, form.refused(error), owners)
    path = entity_path(new.kind, new.namespace, new.name)
    return view.redirect(path, notice="entity-created")


@router.get("/entities/{kind}/{namespace}/{name}/edit", **access(Access.MEMBER))
async def show_edit(view: ViewDep, frame: OwnedFrameDep, owners: OwnersDep) -> HTMLResponse:
    """The form as the entity is, and with the version that it changes."""
    return _render(view, Form(write_fields(frame.entity, frame.etag)), owners, frame)


@router.post("/entities/{kind}/{namespace}/{name}/edit", **access(Access.MEMBER))
async def edit(
    view: ViewDep,
    actor: ActorDep,
    frame: OwnedFrameDep,
    owners: OwnersDep,
    catalogue: CatalogueDep,
) -> Response:
    """Replace the entity's content, unless it was changed in the meantime."""
    form = await Form.read(view.request)
    try:
        change = EntityChange.model_validate(read_fields(form, frame.entity))
        await catalogue.replace(actor, frame.key, change, if_match=form.values["etag"])
    except (PortalError, ValidationError) as error:
        return _render(view, form.refused(error), owners, frame)
    return view.redirect(frame.path, notice="entity-updated")


@router.get("/entities/{kind}/{namespace}/{name}/delete", **access(Access.MEMBER))
async def show_delete(view: ViewDep, frame: OwnedFrameDep) -> HTMLResponse:
    """Ask first."""
    return view.render(
        "parts/confirm.html",
        area="catalogue",
        heading=f"Delete {frame.entity.title}?",
        text="Its own relations, API documents and pages go with it. This cannot be undone.",
        button="Delete it",
        action=f"{frame.path}/delete",
        back=frame.path,
        fields={"etag": frame.etag},
    )


@router.post("/entities/{kind}/{namespace}/{name}/delete", **access(Access.MEMBER))
async def delete(
    view: ViewDep, actor: ActorDep, frame: OwnedFrameDep, catalogue: CatalogueDep
) -> Response:
    """Delete the version that was shown."""
    form = await Form.read(view.request)
    await catalogue.delete(actor, frame.key, if_match=form.values["etag"])
    return view.redirect("/", notice="entity-deleted")


@router.get("/entities/import", **access(Access.MEMBER))
async def show_import(view: ViewDep) -> HTMLResponse:
    """The form for a catalog-info.yaml."""
    return view.render("catalogue/import.html", area="catalogue", result=None, counts={})


@router.post("/entities/import", **access(Access.MEMBER))
async def import_file(view: ViewDep, actor: ActorDep, imports: ImportsDep) -> HTMLResponse:
    """Import the file, or the text if no file was chosen; or tell what that would do."""
    form, result, given = await Form.read(view.request), None, b""
    try:
        given = await read_file(form, "file", max_bytes=MAX_IMPORT_BYTES)
        content, dry_run = given or form.values["yaml"].encode(), bool(form.values["dry_run"])
        result = await imports.run(actor, content, dry_run=dry_run)
    except PortalError as error:
        form.refused(error)
    _show_text(form, given)
    return view.render(
        "catalogue/import.html",
        area="catalogue",
        form=form,
        result=result,
        counts=Counter(item.result for item in result.items) if result else {},
        shown_items=_SHOWN_ITEMS,
    )


def _show_text(form: Form, given: bytes) -> None:
    """Show the text of the file that was given, in the place of any that was there before.

    No page can choose a file for its user: what was looked at is imported as its text. Of a file
    that is too large to be shown there is none, and it has to be chosen again.
    """
    if given:
        is_shown = len(given) <= _SHOWN_FILE_BYTES
        form.values["yaml"] = given.decode(errors="replace") if is_shown else ""


def _render(view: View, form: Form, owners: Choices, frame: Frame | None = None) -> HTMLResponse:
    context = frame.context() if frame else {"area": "catalogue", "entity": None, "base_path": ""}
    lifecycles = dict.fromkeys((*_LIFECYCLES, form.values["lifecycle"] or _LIFECYCLES[0]))
    own = (form.values["owner"],) if form.values["owner"] else ()
    known = dict(owners)
    return view.render(
        "catalogue/edit.html",
        form=form,
        heading=f"Edit {frame.entity.title}" if frame else "New entry",
        action=f"{frame.path}/edit" if frame else "/entities/new",
        owners=[*((name, name) for name in own if name not in known), *owners],
        lifecycles=[(name, name.capitalize()) for name in lifecycles],
        **context,
    )
