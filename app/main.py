"""The application: its middleware and routes."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app.composition import Composition, Stores
from app.config import Config, ConfigError, load_config
from app.http.description import describe_api
from app.http.middleware import CrossOrigin, HeadRequests, OwnHosts, RequestRecord, security_headers
from app.http.problems import UnexpectedErrors, install_problem_handlers
from app.http.routes import (
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
    webhooks,
)
from app.http.uploads import BodyLimit
from app.logs import configure_logs
from app.metrics import Metrics
from app.web.errors import ErrorPages
from app.web.routes import PAGES, mount_assets

# Routers are tried in this order, so what is requested most comes first.
ROUTERS = (
    entities.router,
    health.router,
    relations.router,
    api_documents.router,
    documentation.router,
    imports.router,
    search.router,
    teams.router,
    auth.router,
    api_keys.router,
    admin.router,
    webhooks.router,
    *PAGES,
)


def create_app(config: Config | None = None) -> FastAPI:
    """The portal, ready to be served; without `config` it reads the environment."""
    config = config or load_config()
    configure_logs(config.log_level)
    metrics = Metrics()
    composition = Composition(config, metrics, Stores.of(config, metrics))

    @asynccontextmanager
    async def run(_app: FastAPI) -> AsyncIterator[None]:
        async with composition.running():
            yield

    app = FastAPI(
        title="Developer portal",
        version=config.app_version,
        debug=False,
        lifespan=run,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        # The portal has metrics and logs of its own, and FastAPI's cost every request some time.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.services = composition.services
    app.openapi = lambda: describe_api(app)
    install_problem_handlers(app)
    _add_middleware(app, config, metrics)
    for router in ROUTERS:
        app.include_router(router)
    mount_assets(app)
    return app


def _add_middleware(app: FastAPI, config: Config, metrics: Metrics) -> None:
    """The last one added sees a request first."""
    app.add_middleware(UnexpectedErrors)
    app.add_middleware(ErrorPages)
    app.add_middleware(BodyLimit)
    app.add_middleware(
        CrossOrigin,
        allow_origins=config.allowed_origins,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "If-Match", "X-Request-ID"],
        expose_headers=[
            *("ETag", "Location", "X-Request-ID", "Retry-After", "RateLimit", "RateLimit-Policy")
        ],
    )
    app.add_middleware(HeadRequests)
    if not config.is_production:
        app.add_middleware(OwnHosts)
    # In production Nginx checks the host; it sets these headers, and drops those of the portal.
    headers = [] if config.is_production else security_headers()
    app.add_middleware(RequestRecord, metrics=metrics, headers=headers)


def __getattr__(name: str) -> FastAPI:
    """`app.main:app` for the server; made on demand, so that an import reads no environment."""
    if name != "app":
        raise AttributeError(name)
    try:
        return create_app()
    except ConfigError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
