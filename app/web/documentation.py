"""Pages of documentation."""

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from pydantic import TypeAdapter, ValidationError

from app.exceptions import ConflictError, InvalidRequestError, PortalError
from app.http.access import Access, ActorDep, access
from app.http.dependencies import PagesDep
from app.models.pages import PageChange, PageOut, Slug
from app.services.pages import page_tag
from app.web.entity_frame import Frame, FrameDep, OwnedFrameDep
from app.web.forms import Form
from app.web.views import View, ViewDep

router = APIRouter(prefix="/entities/{kind}/{namespace}/{name}", include_in_schema=False)
_SLUG = TypeAdapter[str](Slug)


@router.get("/pages", **access(Access.READ))
async def show_first(view: ViewDep, frame: FrameDep) -> Response:
    """The first page, if there is one."""
    if frame.pages:
        return view.redirect(f"{frame.path}/pages/{frame.pages[0].slug}")
    return view.render("documentation/page.html", tab="pages", page=None, **frame.context())


@router.get("/pages/{slug}", **access(Access.READ))
async def show_page(view: ViewDep, frame: FrameDep, pages: PagesDep, slug: Slug) -> HTMLResponse:
    """One page beside the list of all."""
    page = await pages.get(frame.key, slug)
    return view.render("documentation/page.html", tab="pages", page=page, **frame.context())


@router.get("/new-page", **access(Access.MEMBER))
async def show_new(view: ViewDep, frame: OwnedFrameDep) -> HTMLResponse:
    """An empty page."""
    return _render_form(view, frame, Form())


@router.post("/new-page", **access(Access.MEMBER))
async def create(view: ViewDep, actor: ActorDep, frame: OwnedFrameDep, pages: PagesDep) -> Response:
    """Create a new page."""
    form = await Form.read(view.request)
    try:
        slug, change = _check_slug(form.text("slug")), _read_change(form)
        if slug in {page.slug for page in frame.pages}:
            raise ConflictError("there is a page of this address: choose another")
        await pages.put(actor, frame.key, slug, change, if_match=None)
    except (PortalError, ValidationError) as error:
        return _render_form(view, frame, form.refused(error))
    return view.redirect(f"{frame.path}/pages/{slug}", notice="page-saved")


@router.get("/pages/{slug}/edit", **access(Access.MEMBER))
async def show_edit(
    view: ViewDep, frame: OwnedFrameDep, pages: PagesDep, slug: Slug
) -> HTMLResponse:
    """The page as it was written."""
    page = await pages.get(frame.key, slug)
    start = {"title": page.title, "markdown": page.markdown, "etag": page_tag(page)}
    return _render_form(view, frame, Form(start), page)


@router.post("/pages/{slug}/edit", **access(Access.MEMBER))
async def edit(
    view: ViewDep, actor: ActorDep, frame: OwnedFrameDep, pages: PagesDep, slug: Slug
) -> Response:
    """Replace the page, unless it was changed in the meantime."""
    form = await Form.read(view.request)
    page = await pages.get(frame.key, slug)
    try:
        change = _read_change(form)
        await pages.put(actor, frame.key, slug, change, if_match=form.values["etag"])
    except (PortalError, ValidationError) as error:
        return _render_form(view, frame, form.refused(error), page)
    return view.redirect(f"{frame.path}/pages/{slug}", notice="page-saved")


@router.get("/pages/{slug}/delete", **access(Access.MEMBER))
async def show_delete(
    view: ViewDep, frame: OwnedFrameDep, pages: PagesDep, slug: Slug
) -> HTMLResponse:
    """Ask first."""
    page = await pages.get(frame.key, slug)
    return view.render(
        "parts/confirm.html",
        area="catalogue",
        heading=f"Delete the page {page.title}?",
        text="This cannot be undone.",
        button="Delete it",
        action=f"{frame.path}/pages/{slug}/delete",
        back=f"{frame.path}/pages/{slug}",
        fields={"etag": page_tag(page)},
    )


@router.post("/pages/{slug}/delete", **access(Access.MEMBER))
async def delete(
    view: ViewDep, actor: ActorDep, frame: OwnedFrameDep, pages: PagesDep, slug: Slug
) -> Response:
    """Delete the version that was shown."""
    form = await Form.read(view.request)
    await pages.delete(actor, frame.key, slug, if_match=form.values["etag"])
    return view.redirect(f"{frame.path}/pages", notice="page-deleted")


def _render_form(view: View, frame: Frame, form: Form, page: PageOut | None = None) -> HTMLResponse:
    path = f"{frame.path}/pages/{page.slug}" if page else frame.path
    return view.render(
        "documentation/edit.html",
        form=form,
        tab="pages",
        page=page,
        heading=f"Edit {page.title}" if page else "New page",
        action=f"{path}/edit" if page else f"{path}/new-page",
        back=path if page else f"{frame.path}/pages",
        **frame.context(),
    )


def _read_change(form: Form) -> PageChange:
    values = {"title": form.text("title"), "markdown": form.values["markdown"]}
    return PageChange.model_validate(values)


def _check_slug(slug: str) -> str:
    try:
        return _SLUG.validate_python(slug)
    except ValidationError as error:
        raise InvalidRequestError(
            f"address: should be small letters and digits, with - between (got '{slug}')"
        ) from error
