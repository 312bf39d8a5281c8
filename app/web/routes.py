"""All pages and the files they load."""

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from app.web import (
    account,
    admin,
    catalogue,
    documentation,
    entity_forms,
    interfaces,
    portal_api,
    provider_sign_in,
    search,
    sign_in,
    teams,
    webhooks,
)
from app.web.assets import OwnFiles, swagger_assets

# Fixed addresses come before those with a part that varies.
PAGES = (
    entity_forms.router,
    catalogue.router,
    interfaces.router,
    documentation.router,
    search.router,
    sign_in.router,
    provider_sign_in.router,
    account.router,
    teams.router,
    admin.router,
    webhooks.router,
    portal_api.router,
)


def mount_assets(app: FastAPI) -> None:
    """Serve the files that pages load."""
    app.mount("/assets/swagger", StaticFiles(directory=swagger_assets()), name="swagger")
    app.mount("/assets", OwnFiles(), name="assets")
