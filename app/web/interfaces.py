"""API documents: read, tried out, compared, uploaded."""

from collections import Counter
from functools import partial
from itertools import groupby
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse
from pydantic import TypeAdapter, ValidationError

from app.constants import MAX_DOCUMENT_BYTES
from app.definitions.kinds import ApiKind
from app.exceptions import (
    ConflictError,
    InvalidRequestError,
    PortalError,
    PreconditionRequiredError,
)
from app.http.access import Access, ActorDep, access
from app.http.dependencies import ApiDocumentsDep, ApiUploadsDep
from app.models.api_documents import VersionName
from app.outline import OperationHead, Outline
from app.services.api_documents import ApiDocuments
from app.web.entity_frame import Frame, FrameDep, OwnedFrameDep
from app.web.forms import Form, read_file
from app.web.links import with_query
from app.web.views import View, ViewDep

router = APIRouter(prefix="/entities/{kind}/{namespace}/{name}", include_in_schema=False)
_VERSION = TypeAdapter[str](VersionName)
_ENDINGS: dict[ApiKind, str] = {"graphql": "graphql", "grpc": "proto"}
"""Of the names of files; others are JSON or YAML."""
_PAGE_OPERATIONS = 100
"""What a person looks through; the index and the filter lead to the others."""


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
    view: ViewDep,
    frame: FrameDep,
    documents: ApiDocumentsDep,
    version: VersionName,
    q: Annotated[str, Query(max_length=200)] = "",
    tag: str = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> HTMLResponse:
    """What there is in the document, narrowed by a tag and words."""
    head = await documents.get_head(frame.key, version)
    reading = await documents.outline(frame.actor, frame.key, version)
    found = _matching(reading, q, tag)
    shown = found[(page - 1) * _PAGE_OPERATIONS : page * _PAGE_OPERATIONS]
    has_more = page * _PAGE_OPERATIONS < len(found)
    path, chosen = f"{frame.path}/api/{quote(version, safe='')}", {"q": q, "tag": tag}
    return view.render(
        "interfaces/read.html",
        tab="api",
        version=version,
        head=head,
        file_name=f"{frame.key.name}-{version}.{_ENDINGS.get(head.kind, 'json')}",
        document_url=frame.document_url(version),
        reading=reading,
        tags=Counter(item.tag for item in reading.operations),
        groups={name: [*items] for name, items in groupby(shown, key=lambda item: item.tag)},
        found=len(found),
        schemas=[name for name in reading.schemas if not tag and _has_words(name, q)],
        words=q,
        chosen_tag=tag,
        first_url=with_query(path, chosen) if page > 1 else "",
        next_url=with_query(path, chosen, page=str(page + 1)) if has_more else "",
        **frame.context(),
    )


def _matching(reading: Outline, words: str, tag: str) -> list[OperationHead]:
    """Operations by tag, in the order in which the document names the tags."""
    order = {name: place for place, name in enumerate({i.tag: 0 for i in reading.operations})}
    return sorted(
        (
            item
            for item in reading.operations
            if (not tag or item.tag == tag)
            and _has_words(f"{item.method} {item.path} {item.summary} {item.tag}", words)
        ),
        key=lambda item: order[item.tag],
    )


def _has_words(text: str, words: str) -> bool:
    return all(word in text.lower() for word in words.lower().split())


@router.get("/api/{version}/operations/{operation}", **access(Access.READ))
async def read_operation(
    view: ViewDep, frame: FrameDep, documents: ApiDocumentsDep, version: VersionName, operation: str
) -> HTMLResponse:
    """One operation, with everything that a client has to know."""
    return await _read_part(view, frame, documents, version, "operation", operation)


@router.get("/api/{version}/schemas/{schema:path}", **access(Access.READ))
async def read_schema(
    view: ViewDep, frame: FrameDep, documents: ApiDocumentsDep, version: VersionName, schema: str
) -> HTMLResponse:
    """One schema with its properties."""
    return await _read_part(view, frame, documents, version, "schema", schema)


async def _read_part(
    view: View,
    frame: Frame,
    documents: ApiDocuments,
    version: str,
    kind: Literal["operation", "schema"],
    name: str,
) -> HTMLResponse:
    head = await documents.get_head(frame.key, version)
    found = await documents.part(frame.actor, frame.key, version, kind, name)
    context = {"part": found, "name": name, "head": head, "version": version, **frame.context()}
    return view.render(f"interfaces/{kind}.html", tab="api", **context)


@router.get("/api/{version}/try", **access(Access.READ))
async def try_version(
    view: ViewDep, frame: FrameDep, documents: ApiDocumentsDep, version: VersionName
) -> HTMLResponse:
    """Swagger UI over the stored document."""
    await documents.get_openapi_head(frame.key, version)
    return view.render(
        "interfaces/try.html",
        tab="api",
        servers=(await documents.outline(frame.actor, frame.key, version)).servers,
        version=version,
        document_url=frame.document_url(version),
        **frame.context(),
    )


@router.get("/compare", **access(Access.READ))
async def compare(
    view: ViewDep,
    frame: FrameDep,
    documents: ApiDocumentsDep,
    older: Annotated[VersionName, Query(alias="from")],
    newer: Annotated[VersionName, Query(alias="to")],
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
    view: ViewDep, actor: ActorDep, frame: OwnedFrameDep, uploads: ApiUploadsDep
) -> Response:
    """Publish the document as a new version."""
    form = await Form.read(view.request)
    try:
        version = _check_version(form.text("version"))
        kind, read = _kind_of(form.file_name("file")), partial(_read, form)
        await uploads.put(actor, frame.key, version, read, if_match=None, kind=kind)
    except PreconditionRequiredError:
        form.tell(ConflictError("the version has another document: choose another version"))
    except PortalError as error:
        form.refused(error)
    else:
        return view.redirect(f"{frame.path}/api/{version}", notice="version-published")
    return view.render("interfaces/upload.html", form=form, tab="api", **frame.context())


def _kind_of(file_name: str) -> ApiKind | None:
    """What a file's name says of it; None if only its content tells."""
    ending = file_name.rpartition(".")[2].lower()
    return next((kind for kind, own in _ENDINGS.items() if ending in (own, f"{own}s")), None)


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
