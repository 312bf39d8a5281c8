"""The portal's own API: its document, and Swagger UI over it."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.http.access import Access, access
from app.web.views import ViewDep

router = APIRouter(include_in_schema=False)
_DOCUMENT_PATH = "/openapi.json"


@router.get(_DOCUMENT_PATH, **access(Access.INSIDE))
async def get_openapi(request: Request) -> dict[str, Any]:
    """The OpenAPI document."""
    return request.app.openapi()


@router.get("/docs", **access(Access.INSIDE))
async def show_docs(view: ViewDep) -> HTMLResponse:
    """The API's documentation, its assets served from here: it works without the internet."""
    return view.render("docs.html", area="docs", openapi_url=_DOCUMENT_PATH)
