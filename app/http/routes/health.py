"""Health, liveness and readiness."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from app.http.access import Access, access, find_known_actor
from app.http.dependencies import ConfigDep, HealthDep, MetricsDep
from app.models.health import Health, HealthStatus, Readiness

router = APIRouter(tags=["operations"])
_TEXT = {"schema": {"type": "string"}}


@router.get("/health", **access(Access.PUBLIC, responses={503: {"model": Health}}))
async def get_health(
    request: Request, config: ConfigDep, health: HealthDep, response: Response
) -> Health | HealthStatus:
    """Every dependency by name, in production only for who is signed in; 503 when one is down."""
    found = await health.check()
    response.status_code = 200 if found.status == "ok" else 503
    if config.is_production and await find_known_actor(request) is None:
        return HealthStatus(status=found.status)
    return found


@router.get("/livez", **access(Access.PUBLIC))
async def get_liveness() -> dict[str, str]:
    """The process responds; a dependency that is down is no reason to restart it."""
    return {"status": "ok"}


@router.get("/readyz", **access(Access.PUBLIC, responses={503: {"model": Readiness}}))
async def get_readiness(health: HealthDep, response: Response) -> Readiness:
    """Whether requests should be sent here; 503 with the reasons when not.

    As `/startupz` and `/metrics`, it is for inside: in production Nginx does not pass it on.
    """
    found = await health.check_ready()
    response.status_code = 200 if found.ready else 503
    return found


@router.get("/startupz", **access(Access.PUBLIC, responses={503: {"model": Readiness}}))
async def get_startup(health: HealthDep, response: Response) -> Readiness:
    """Whether the portal has been ready; its container's health check asks for this.

    A store that goes away later does not make a running portal unhealthy.
    """
    found = await health.check_started()
    response.status_code = 200 if found.ready else 503
    return found


@router.get("/version", **access(Access.INSIDE, any_scope=True))
async def get_version(config: ConfigDep) -> dict[str, str]:
    """The version of the portal that responds; no business of strangers in production."""
    return {"version": config.app_version}


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    **access(Access.PUBLIC, responses={200: {"content": {CONTENT_TYPE_LATEST: _TEXT}}}),
)
async def get_metrics(metrics: MetricsDep) -> Response:
    """For Prometheus, which scrapes every replica."""
    return Response(metrics.render(), media_type=CONTENT_TYPE_LATEST)
