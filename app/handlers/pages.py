"""Pages for people."""

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from app import __version__

router = APIRouter(include_in_schema=False)
_templates = Jinja2Templates(Path(__file__).parent.parent / "templates")


@router.get("/")
async def show_home(request: Request) -> HTMLResponse:
    """What this is, and where to go."""
    context = {"version": __version__, "environment": request.app.state.config.app_env}
    return _templates.TemplateResponse(request, "home.html", context)


@router.get("/docs")
async def show_docs(request: Request) -> HTMLResponse:
    """The API's documentation, its assets served from here: it works without the internet."""
    app = request.app
    context = {"title": f"{app.title} - API", "openapi_url": app.openapi_url}
    return _templates.TemplateResponse(request, "docs.html", context)
