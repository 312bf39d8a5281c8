"""What handlers ask for, by type."""

from typing import Annotated

from fastapi import Depends, Request

from app.services.catalogue import Catalogue
from app.services.health import HealthService


def _catalogue(request: Request) -> Catalogue:
    catalogue: Catalogue = request.app.state.catalogue
    return catalogue


def _health(request: Request) -> HealthService:
    health: HealthService = request.app.state.health
    return health


CatalogueDep = Annotated[Catalogue, Depends(_catalogue)]
HealthDep = Annotated[HealthService, Depends(_health)]
