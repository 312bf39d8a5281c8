"""Import of catalog-info.yaml."""

from fastapi import APIRouter, Request

from app.access import Access, ActorDep, Scope, access
from app.constants import MAX_IMPORT_BYTES
from app.dependencies import ImportsDep
from app.handlers.responses import problems, with_responses
from app.handlers.uploads import read_body, request_body, with_body
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
    "A catalog-info.yaml as Backstage has it, one document or more.",
    {"application/yaml": {"schema": {"type": "string"}, "example": _EXAMPLE}},
)


@router.post(
    "/import",
    **with_responses(
        with_body(access(Access.MEMBER, scope=Scope.CATALOGUE_WRITE), _BODY),
        problems(413, 422, 503),
    ),
)
async def import_entities(request: Request, imports: ImportsDep, actor: ActorDep) -> ImportResult:
    """Bring in all documents of a file, or, if one is not good, none of them."""
    return await imports.run(actor, await read_body(request, max_bytes=MAX_IMPORT_BYTES))
