"""Versions of API documents, and what changed between two."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from app.definitions.kinds import ApiKind

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
    kind: ApiKind
    openapi: str
    """The version of OpenAPI that it is written in; 2.0 is Swagger, and converted. Of another kind,
    that of its language: of AsyncAPI, or `proto3`; empty for GraphQL."""
    sha256: str
    size_bytes: int
    created_at: datetime


class VersionList(BaseModel):
    """Versions, the highest first."""

    items: list[VersionOut]


class ApiChange(BaseModel):
    """One difference that a client could notice."""

    rule: str
    """What kind of change it is: `operation-removed`, `property-required`."""
    breaking: bool
    where: str
    """The place in the operation or schema: `query parameter 'page'`, `.status`."""
    message: str
    places: int
    """How many parts of operations show it."""
    first_places: list[str]
    """Some of them, of a schema's change: `GET /orders response 200 application/json`."""


class ApiChangeGroup(BaseModel):
    """The changes of one operation or schema."""

    kind: Literal["document", "operation", "schema"]
    name: str
    """`GET /orders/{id}`, or the schema's."""
    changes: list[ApiChange]


class ApiChanges(BaseModel):
    """Changes by what they belong to: first those of operations, then those of schemas."""

    changes: int
    """All of them, listed or not; one of a schema counts once, however often it is used."""
    places: int
    """The parts of operations that show them, counted once for each change."""
    left_out: int
    """Changes that are not listed."""
    groups: list[ApiChangeGroup]


class ApiDiff(BaseModel):
    """What changed from one version to another."""

    from_version: str
    to_version: str
    compatible: bool
    """Whether clients of the older version can use the newer one."""
    breaking: ApiChanges
    non_breaking: ApiChanges
