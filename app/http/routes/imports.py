"""Import of catalog-info.yaml."""

from fastapi import APIRouter, Request

from app.constants import MAX_IMPORT_BYTES
from app.http.access import ActorDep, change_catalogue
from app.http.dependencies import ImportsDep
from app.http.uploads import read_body, request_body
from app.models.imports import ImportResult

router = APIRouter(prefix="/api/v1/entities", tags=["catalogue"])

_EXAMPLE = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: basket
  description: Keeps what a customer is about to buy
  tags: [go]
spec:
  type: service
  lifecycle: production
  owner: group:default/payments
"""
_BODY = request_body(
    "A Backstage catalog-info.yaml with one or more documents.",
    {"application/yaml": {"schema": {"type": "string"}, "example": _EXAMPLE}},
)


@router.post(
    "/import",
    **change_catalogue(errors=(409, 413, 422), body=_BODY),
)
async def import_entities(
    request: Request, imports: ImportsDep, actor: ActorDep, dry_run: bool = False
) -> ImportResult:
    """Import all documents of a file, or none of them if one has a mistake.

    With `dry_run`, tell what would be done and change nothing.
    """
    content = await read_body(request, max_bytes=MAX_IMPORT_BYTES)
    return await imports.run(actor, content, dry_run=dry_run)
