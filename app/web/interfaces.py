"""API documents: read, tried out, compared, uploaded."""

from functools import partial
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse
from pydantic import TypeAdapter, ValidationError

from app.constants import MAX_DOCUMENT_BYTES
from app.exceptions import InvalidRequestError, NotFoundError, PortalError
from app.http.access import Access, ActorDep, access
from app.http.dependencies import ApiDocumentsDep
from app.models.api_documents import VersionName
from app.web.entity_frame import FrameDep, OwnedFrameDep
from app.web.forms import Form, read_file
from app.web.views import ViewDep

router = APIRouter(prefix="/entities/{kind}/{namespace}/{name}", include_in_schema=False)
_VERSION = TypeAdapter[str](VersionName)


@router.get("/api", **access(Access.READ))
async def list_versions(view: ViewDep, frame: FrameDep, version: str = "") -> Response:
    """All versions; if one was chosen, that one."""
    if version:
        return view.redirect(f"{frame.path}/api/{quote(version, safe='')}")
    names = [item.version for item in frame.versions]
    older, newer = names[1:2] or names, names
    return view.render(
        "interfaces/versions.html",
        tab="api",
        older="".join(older[:1]),
        newer="".join(newer[:1]),
        **frame.context(),
    )


@router.get("/api/{version}", **access(Access.READ))
async def read_version(
    view: ViewDep, frame: FrameDep, documents: ApiDocumentsDep, version: str
) -> HTMLResponse:
    """The document as a page that needs no JavaScript."""
    reading = await documents.outline(frame.actor, frame.key, version)
    return view.render(
        "interfaces/read.html",
        tab="api",
        version=version,
        document_url=frame.document_url(version),
        reading=reading,
        **frame.context(),
    )


@router.get("/api/{version}/try", **access(Access.READ))
async def try_version(view: ViewDep, frame: FrameDep, version: str) -> HTMLResponse:
    """Swagger UI over the stored document."""
    if version not in {item.version for item in frame.versions}:
        raise NotFoundError(f"{frame.key} has no version '{version}'")
    return view.render(
        "interfaces/try.html",
        tab="api",
        version=version,
        document_url=frame.document_url(version),
        **frame.context(),
    )


@router.get("/compare", **access(Access.READ))
async def compare(
    view: ViewDep,
    frame: FrameDep,
    documents: ApiDocumentsDep,
    older: Annotated[str, Query(alias="from")],
    newer: Annotated[str, Query(alias="to")],
) -> HTMLResponse:
    """What changed from one version to another, what may break clients first."""
    diff = await documents.diff(frame.actor, frame.key, older, newer)
    context = {"diff": diff, "older": older, "newer": newer, **frame.context()}
    return view.render("interfaces/compare.html", tab="api", **context)


@router.get("/upload", **access(Access.MEMBER))
async def show_upload(view: ViewDep, frame: OwnedFrameDep) -> HTMLResponse:
    """The form for a document."""
    return view.render("interfaces/upload.html", tab="api", **frame.context())


@router.post("/upload", **access(Access.MEMBER))
async def upload(
    view: ViewDep, actor: ActorDep, frame: OwnedFrameDep, documents: ApiDocumentsDep
) -> Response:
    """Publish the document as a new version."""
    form = await Form.read(view.request)
    try:
        version = _check_version(form.text("version"))
        await documents.put(actor, frame.key, version, partial(_read, form), if_match=None)
    except PortalError as error:
        context = frame.context()
        return view.render("interfaces/upload.html", form=form.refused(error), tab="api", **context)
    return view.redirect(f"{frame.path}/api/{version}", notice="version-published")


async def _read(form: Form) -> bytes:
    content = await read_file(form, "file", max_bytes=MAX_DOCUMENT_BYTES)
    if not content:
        raise InvalidRequestError("choose the document")
    return content


def _check_version(version: str) -> str:
    try:
        return _VERSION.validate_python(version)
    except ValidationError as error:
        raise InvalidRequestError(
            f"version: should be letters and digits, with -, _, . and + between (got '{version}')"
        ) from error
