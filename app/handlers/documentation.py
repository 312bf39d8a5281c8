"""The API's description, for programs and for people."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from app.access import Access, access

router = APIRouter(include_in_schema=False)
_OPENAPI_PATH = "/openapi.json"
_templates = Jinja2Templates(Path(__file__).parent.parent / "templates")


@router.get(_OPENAPI_PATH, **access(Access.INSIDE))
async def get_openapi(request: Request) -> dict[str, Any]:
    """The OpenAPI document."""
    return request.app.openapi()


@router.get("/docs", **access(Access.INSIDE))
async def show_docs(request: Request) -> HTMLResponse:
    """The API's documentation, its assets served from here: it works without the internet."""
    context = {"title": f"{request.app.title} - API", "openapi_url": _OPENAPI_PATH}
    return _templates.TemplateResponse(request, "docs.html", context)
