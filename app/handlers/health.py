"""Health, liveness and readiness."""

from fastapi import APIRouter, Response

from app import __version__
from app.dependencies import HealthDep
from app.models.health import Health, Readiness

router = APIRouter(tags=["operations"])


@router.get("/health", responses={503: {"model": Health}})
async def get_health(health: HealthDep, response: Response) -> Health:
    """Every dependency by name; 503 when one is down."""
    found = await health.check()
    response.status_code = 200 if found.status == "ok" else 503
    return found


@router.get("/livez")
async def get_liveness() -> dict[str, str]:
    """The process answers; a dependency that is down is no reason to restart it."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"model": Readiness}})
async def get_readiness(health: HealthDep, response: Response) -> Readiness:
    """Whether requests should be sent here; 503 with the reasons when not."""
    found = await health.check_ready()
    response.status_code = 200 if found.ready else 503
    return found


@router.get("/version")
async def get_version() -> dict[str, str]:
    """The version of the code that answers."""
    return {"version": __version__}
