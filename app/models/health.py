"""Responses of the health checks."""

from typing import Literal

from pydantic import BaseModel

Status = Literal["ok", "unavailable"]


class DependencyHealth(BaseModel):
    """One dependency; `reason` says why it is unavailable."""

    status: Status
    latency_ms: float
    reason: str | None = None


class Health(BaseModel):
    """The portal and what it depends on."""

    status: Status
    version: str
    environment: str
    dependencies: dict[str, DependencyHealth]


class Readiness(BaseModel):
    """Whether requests should be sent here, and the reasons if not."""

    ready: bool
    reasons: list[str]
