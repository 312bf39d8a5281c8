"""Versions of OpenAPI documents, and what changed between two."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

VersionName = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=63, pattern=r"^[A-Za-z0-9]([-A-Za-z0-9_.+]*[A-Za-z0-9])?$"
    ),
]


class VersionOut(BaseModel):
    """A version of an interface's document."""

    model_config = ConfigDict(from_attributes=True)

    version: str
    title: str
    openapi: str
    """The version of OpenAPI that it is written in."""
    sha256: str
    size_bytes: int
    created_at: datetime


class VersionList(BaseModel):
    """Versions, the newest upload first."""

    items: list[VersionOut]


class ApiChange(BaseModel):
    """One difference that a client could notice."""

    rule: str
    """What kind of change it is: `operation-removed`, `property-required`."""
    breaking: bool
    where: str
    """The place: `GET /orders/{id} response 200 body.status`."""
    message: str


class ApiDiff(BaseModel):
    """What changed from one version to another."""

    from_version: str
    to_version: str
    compatible: bool
    """Whether clients of the older version can use the newer one."""
    breaking: list[ApiChange]
    non_breaking: list[ApiChange]
    truncated: bool = False
    """Whether there are more changes than are listed."""


DocumentFormat = Literal["json", "yaml"]
