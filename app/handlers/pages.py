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
