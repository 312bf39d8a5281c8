"""Health, liveness and readiness."""

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from app.http.access import Access, access
from app.http.dependencies import ConfigDep, HealthDep, MetricsDep
from app.models.health import Health, Readiness

router = APIRouter(tags=["operations"])
_TEXT = {"schema": {"type": "string"}}


@router.get("/health", **access(Access.PUBLIC, responses={503: {"model": Health}}))
async def get_health(health: HealthDep, response: Response) -> Health:
    """Every dependency by name; 503 when one is down."""
    found = await health.check()
    response.status_code = 200 if found.status == "ok" else 503
    return found


@router.get("/livez", **access(Access.PUBLIC))
async def get_liveness() -> dict[str, str]:
    """The process responds; a dependency that is down is no reason to restart it."""
    return {"status": "ok"}


@router.get("/readyz", **access(Access.PUBLIC, responses={503: {"model": Readiness}}))
async def get_readiness(health: HealthDep, response: Response) -> Readiness:
    """Whether requests should be sent here; 503 with the reasons when not."""
    found = await health.check_ready()
    response.status_code = 200 if found.ready else 503
    return found


@router.get("/version", **access(Access.PUBLIC))
async def get_version(config: ConfigDep) -> dict[str, str]:
    """The version of the portal that responds."""
    return {"version": config.app_version}


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    **access(Access.PUBLIC, responses={200: {"content": {CONTENT_TYPE_LATEST: _TEXT}}}),
)
async def get_metrics(metrics: MetricsDep) -> Response:
    """For Prometheus, which scrapes every replica; in production Nginx does not pass it on."""
    return Response(metrics.render(), media_type=CONTENT_TYPE_LATEST)
