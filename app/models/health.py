"""Responses of the health checks."""

from typing import Literal

from pydantic import BaseModel

Status = Literal["ok", "unavailable"]


class DependencyHealth(BaseModel):
    """One dependency; `reason` says why it is unavailable."""

    status: Status
    latency_ms: float
    reason: str | None = None


class HealthStatus(BaseModel):
    """Whether the portal and what it depends on work."""

    status: Status


class Health(HealthStatus):
    """The same with what it depends on."""

    version: str
    environment: str
    dependencies: dict[str, DependencyHealth]


class Readiness(BaseModel):
    """Whether requests should be sent here, and the reasons if not."""

    ready: bool
    reasons: list[str]
