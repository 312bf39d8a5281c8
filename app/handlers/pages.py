"""Pages for people."""

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
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
    return get_swagger_ui_html(
        openapi_url=request.app.openapi_url,
        title=f"{request.app.title} - API",
        swagger_js_url="/assets/swagger/swagger-ui-bundle.js",
        swagger_css_url="/assets/swagger/swagger-ui.css",
        swagger_favicon_url="/assets/swagger/favicon.png",
    )
