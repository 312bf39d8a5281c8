"""The application: wiring only."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app import __version__
from app.access_services import AccessServices
from app.api_description import describe_api
from app.config import Config, ConfigError, load_config
from app.drain import announce_drain
from app.handlers import (
    admin,
    api_documents,
    api_keys,
    auth,
    documentation,
    entities,
    health,
    imports,
    relations,
    search,
    teams,
)
from app.handlers.hot_reads import HotReads
from app.logs import configure_logs
from app.metrics import Metrics
from app.middleware import CrossOrigin, RequestRecord
from app.problems import UnexpectedErrors, install_problem_handlers
from app.revisions import code_revisions
from app.services.catalogue_services import start_catalogue
from app.services.health import HealthService
from app.storage.cache import Cache
from app.storage.database import Database
from app.web.errors import ErrorPages
from app.web.headers import RAW_SECURITY_HEADERS
from app.web.routes import PAGES, mount_assets

# Imports stand before entities: `/entities/import` is no kind of entity.
ROUTERS = (
    health.router,
    auth.router,
    api_keys.router,
    teams.router,
    admin.router,
    imports.router,
    entities.router,
    relations.router,
    documentation.router,
    api_documents.router,
    search.router,
    *PAGES,
)


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
        openapi_url=None,
        # There is /metrics and the log; whether somebody set it up is looked up on every request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.config = config
    app.state.metrics = Metrics()
    app.openapi = lambda: describe_api(app)
    install_problem_handlers(app)
    # The last one added sees a request first.
    app.add_middleware(UnexpectedErrors)
    app.add_middleware(ErrorPages)
    app.add_middleware(HotReads)
    app.add_middleware(
        CrossOrigin,
        allow_origins=config.allowed_origins,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "If-Match", "X-Request-ID"],
        expose_headers=["X-Request-ID", "Retry-After", "RateLimit", "RateLimit-Policy"],
    )
    # In production they are Nginx's to say, which lets none of these through.
    headers = () if config.is_production else RAW_SECURITY_HEADERS
    app.add_middleware(RequestRecord, metrics=app.state.metrics, headers=headers)
    for router in ROUTERS:
        app.include_router(router)
    mount_assets(app)
    return app


@asynccontextmanager
async def _run(app: FastAPI) -> AsyncIterator[None]:
    config: Config = app.state.config
    database, cache = Database(config), Cache(config)
    service = HealthService(config, database, cache, code_revisions())
    app.state.health = service
    own = AccessServices(config, database)
    own.put_on(app.state)
    app.state.metrics.watch(database, own.redis)
    read_cache = start_catalogue(app.state, config, database, cache)

    def start_draining() -> None:
        service.draining = True

    announce_drain(start_draining)
    async with own.running():
        yield
    await read_cache.close()
    await cache.close()
    await database.close()


def __getattr__(name: str) -> FastAPI:
    """`app.main:app` for the server; built on demand, so that an import reads no environment."""
    if name != "app":
        raise AttributeError(name)
    try:
        return create_app()
    except ConfigError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
