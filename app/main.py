"""The application: wiring only."""

import importlib.util
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.staticfiles import StaticFiles

from app import __version__
from app.config import Config, ConfigError, load_config
from app.drain import announce_drain
from app.handlers import (
    api_documents,
    documentation,
    entities,
    health,
    imports,
    pages,
    relations,
    search,
)
from app.logs import configure_logs
from app.middleware import RequestLog
from app.problems import UnexpectedErrors, install_problem_handlers
from app.revisions import code_revisions
from app.services.catalogue_services import start_catalogue
from app.services.health import HealthService
from app.storage.cache import Cache
from app.storage.database import Database

# Imports stand before entities: `/entities/import` is no kind of entity.
_HANDLERS = (health, imports, entities, relations, documentation, api_documents, search, pages)
_OWN_ASSETS = Path(__file__).parent / "static"


def create_app(config: Config | None = None) -> FastAPI:
    """The portal, ready to be served; without `config` it reads the environment."""
    config = config or load_config()
    configure_logs(config.log_level)
    app = FastAPI(
        title="Developer portal",
        version=__version__,
        debug=False,
        lifespan=_run,
        docs_url=None,
        redoc_url=None,
    )
    app.state.config = config
    install_problem_handlers(app)
    # The last one added sees a request first.
    app.add_middleware(UnexpectedErrors)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=config.allowed_origins,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "If-Match", "X-Request-ID"],
        expose_headers=["X-Request-ID", "Retry-After"],
    )
    app.add_middleware(RequestLog)
    for module in _HANDLERS:
        app.include_router(module.router)
    app.mount("/assets/swagger", StaticFiles(directory=_swagger_assets()), name="swagger")
    app.mount("/assets", StaticFiles(directory=_OWN_ASSETS), name="assets")
    return app


@asynccontextmanager
async def _run(app: FastAPI) -> AsyncIterator[None]:
    config: Config = app.state.config
    database, cache = Database(config), Cache(config)
    service = HealthService(config, database, cache, code_revisions())
    app.state.health = service
    read_cache = start_catalogue(app.state, config, database, cache)

    def start_draining() -> None:
        service.draining = True

    announce_drain(start_draining)
    yield
    await read_cache.close()
    await cache.close()
    await database.close()


def _swagger_assets() -> Path:
    """Swagger UI's files, which a package brings; FastAPI's own page fetches them from a CDN."""
    package = importlib.util.find_spec("fastapi_offline")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "static"


def __getattr__(name: str) -> FastAPI:
    """`app.main:app` for the server; built on demand, so that an import reads no environment."""
    if name != "app":
        raise AttributeError(name)
    try:
        return create_app()
    except ConfigError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
