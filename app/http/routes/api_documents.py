"""Versions of API documents."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic.json_schema import SkipJsonSchema

from app.constants import MAX_DOCUMENT_BYTES
from app.definitions.kinds import ApiKind
from app.http.access import ActorDep, MaybeActorDep, change_catalogue, read_catalogue
from app.http.conditional import IfMatch, MaybeIfMatch, respond
from app.http.dependencies import ApiDocumentsDep, ApiUploadsDep, EntityKeyDep
from app.http.responses import CATALOGUE_ERRORS, CHANGE_ERRORS, CONDITIONAL_READ, problems
from app.http.uploads import read_body, request_body
from app.models.api_documents import ApiDiff, VersionList, VersionName, VersionOut
from app.services.api_documents import version_tag

router = APIRouter(
    prefix="/api/v1/entities/{kind}/{namespace}/{name}",
    tags=["API documents"],
    responses=problems(*CATALOGUE_ERRORS),
)

_Version = Annotated[VersionName, Path(examples=["2.0.0"])]
_Kind = Annotated[
    ApiKind | SkipJsonSchema[None],
    Query(alias="type", description="What the document is; without it, that is found out."),
]
_Replace = Annotated[
    bool, Query(description="Replace whatever document the version has; without If-Match.")
]
_TEXT = {"content": {"text/plain": {"schema": {"type": "string"}}}}
_EXAMPLE = {
    "openapi": "3.1.0",
    "info": {"title": "Orders", "version": "1.0.0"},
    "paths": {"/orders": {"get": {"responses": {"200": {"description": "All orders"}}}}},
}
_DOCUMENT: dict[str, Any] = {
    "type": "object",
    "required": ["openapi", "info", "paths"],
    "properties": {
        "openapi": {"type": "string", "pattern": r"^3\.[01]\.\d+$"},
        "info": {"type": "object", "required": ["title", "version"]},
        "paths": {"type": "object"},
    },
}
_BODY = request_body(
    "A document of OpenAPI 3.0 or 3.1, Swagger 2.0 or AsyncAPI, with everything that it refers to, "
    "or a text in GraphQL or Protocol Buffers; up to 10 MB.",
    {
        "application/json": {"schema": _DOCUMENT, "example": _EXAMPLE},
        "application/yaml": {"schema": _DOCUMENT, "example": _EXAMPLE},
    },
)


@router.get("/versions", **read_catalogue())
async def list_versions(documents: ApiDocumentsDep, key: EntityKeyDep) -> VersionList:
    """An interface's versions, the highest first."""
    return await documents.list(key)


@router.get(
    "/versions/{version}",
    response_model=dict[str, Any],
    **read_catalogue(responses={**CONDITIONAL_READ, 200: {**CONDITIONAL_READ[200], **_TEXT}}),
)
async def get_version(
    request: Request,
    documents: ApiDocumentsDep,
    key: EntityKeyDep,
    version: _Version,
    original: bool = False,
) -> Response:
    """A version's document: OpenAPI and AsyncAPI as JSON, others as their text; with `original`,
    as Swagger 2.0 if it was."""
    found, media_type = await documents.read(key, version, original=original)
    return respond(request, found, media_type=media_type)


@router.put(
    "/versions/{version}",
    **change_catalogue(
        errors=(413, *CHANGE_ERRORS),
        responses={201: {"model": VersionOut, "description": "A new version."}},
        body=_BODY,
    ),
)
async def put_version(
    request: Request,
    uploads: ApiUploadsDep,
    actor: ActorDep,
    key: EntityKeyDep,
    version: _Version,
    response: Response,
    if_match: MaybeIfMatch = None,
    of: _Kind = None,
    replace: _Replace = False,
) -> VersionOut:
    """Publish a version of an interface that your team owns."""
    read = partial(read_body, request, max_bytes=MAX_DOCUMENT_BYTES)
    head, is_new = await uploads.put(
        actor, key, version, read, if_match=if_match, kind=of, replace=replace
    )
    response.status_code = 201 if is_new else 200
    response.headers["ETag"] = version_tag(head)
    return head


@router.delete("/versions/{version}", status_code=204, **change_catalogue(errors=CHANGE_ERRORS))
async def delete_version(
    uploads: ApiUploadsDep,
    actor: ActorDep,
    key: EntityKeyDep,
    version: _Version,
    if_match: IfMatch,
) -> None:
    """Remove a version."""
    await uploads.delete(actor, key, version, if_match=if_match)


@router.get(
    "/diff", response_model=ApiDiff, **read_catalogue(errors=(409, 413), responses=CONDITIONAL_READ)
)
async def get_diff(
    request: Request,
    actor: MaybeActorDep,
    documents: ApiDocumentsDep,
    key: EntityKeyDep,
    older: Annotated[VersionName, Query(alias="from", examples=["1.4.0"])],
    newer: Annotated[VersionName, Query(alias="to", examples=["2.0.0"])],
) -> Response:
    """What changed from one version to another; breaking changes are listed apart."""
    return respond(request, await documents.read_diff(actor, key, older, newer))
