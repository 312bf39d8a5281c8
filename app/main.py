"""The application: wiring only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import fastapi_offline
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.staticfiles import StaticFiles

from app import __version__
from app.config import Config, load_config
from app.drain import announce_drain
from app.handlers import entities, health, pages
from app.logs import configure_logs
from app.middleware import RequestLog
from app.migrate import code_heads
from app.problems import install_problem_handlers
from app.services.catalogue import Catalogue
from app.services.health import HealthService
from app.storage.cache import Cache
from app.storage.database import Database

# The package brings Swagger UI's files; FastAPI's own page would fetch them from a CDN.
_SWAGGER_ASSETS = Path(fastapi_offline.__file__).parent / "static"


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
    app.add_middleware(
        CORSMiddleware,
        allow_origins=config.allowed_origins,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "If-Match", "X-Request-ID"],
    )
    app.add_middleware(RequestLog)
    for module in (health, entities, pages):
        app.include_router(module.router)
    app.mount("/assets/swagger", StaticFiles(directory=_SWAGGER_ASSETS), name="swagger")
    return app


@asynccontextmanager
async def _run(app: FastAPI) -> AsyncIterator[None]:
    config: Config = app.state.config
    database, cache = Database(config), Cache(config)
    service = HealthService(config, database, cache, code_heads())
    app.state.health = service
    app.state.catalogue = Catalogue(database, cache)

    def start_draining() -> None:
        service.draining = True

    announce_drain(start_draining)
    yield
    await cache.close()
    await database.close()


def __getattr__(name: str) -> FastAPI:
    """`app.main:app` for the server; built on demand, so that an import reads no environment."""
    if name == "app":
        return create_app()
    raise AttributeError(name)
