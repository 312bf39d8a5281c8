"""Catalogue entries as clients see and send them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.models.texts import Kind, Line, Name, Namespace, Spec, Tag, Text, Title, WebLink

EntityField = Literal[
    "title",
    "description",
    "owner",
    "lifecycle",
    "tags",
    "links",
    "spec",
    "version",
    "created_at",
    "updated_at",
]
"""The fields that a list can have besides the key of each entity, which it always has."""

_EXAMPLE: dict[str, Any] = {
    "title": "Checkout service",
    "description": "Takes an order from the basket to the payment.",
    "owner": "payments",
    "lifecycle": "production",
    "tags": ["go", "critical"],
    "links": [{"url": "https://status.example.com/checkout", "title": "Status"}],
    "spec": {"type": "service"},
}
_EXAMPLE_KEY = {"kind": "component", "namespace": "default", "name": "checkout-service"}
_EXAMPLE_OUT = {
    **_EXAMPLE_KEY,
    **_EXAMPLE,
    "version": 3,
    "created_at": "2026-11-23T09:00:00Z",
    "updated_at": "2026-11-25T09:30:00Z",
}


@dataclass(frozen=True, slots=True)
class EntityKey:
    """What identifies an entity."""

    kind: Kind
    namespace: Namespace
    name: Name

    def __str__(self) -> str:
        return f"{self.kind}:{self.namespace}/{self.name}"


class Link(BaseModel):
    """Somewhere else to look."""

    model_config = ConfigDict(extra="forbid")

    url: WebLink
    title: Line = ""


def _unique(tags: list[str]) -> list[str]:
    return list(dict.fromkeys(tags))


class EntityChange(BaseModel):
    """An entity's content, without the key that it keeps."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    title: Title
    description: Text = ""
    owner: Annotated[Name, Field(description="Name of the team that owns the entity.")]
    lifecycle: Name = "production"
    tags: Annotated[list[Tag], Field(max_length=30), AfterValidator(_unique)] = []
    links: Annotated[list[Link], Field(max_length=30)] = []
    spec: Spec


class EntityNew(EntityChange):
    """A new entity."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{**_EXAMPLE_KEY, **_EXAMPLE}]},
    )

    kind: Kind
    namespace: Namespace = "default"
    name: Name

    @property
    def key(self) -> EntityKey:
        return EntityKey(kind=self.kind, namespace=self.namespace, name=self.name)


class EntityOut(BaseModel):
    """One entry of the catalogue."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [_EXAMPLE_OUT]})

    kind: Kind
    namespace: str
    name: str
    title: str
    description: str
    owner: str
    lifecycle: str
    tags: list[str]
    links: list[dict[str, str]]
    spec: dict[str, Any]
    version: int
    created_at: datetime
    updated_at: datetime


class EntityItem(BaseModel):
    """An entry of a list: the key, and the requested fields."""

    model_config = ConfigDict(from_attributes=True)

    kind: Kind
    namespace: str
    name: str
    title: str | None = None
    description: str | None = None
    owner: str | None = None
    lifecycle: str | None = None
    tags: list[str] | None = None
    links: list[dict[str, str]] | None = None
    spec: dict[str, Any] | None = None
    version: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class EntityPage(BaseModel):
    """Entries in order of kind, namespace and name."""

    items: list[EntityItem]
    next_cursor: str | None = None
    """Send it as `cursor` to get the next page; null on the last page."""


class Facet(BaseModel):
    """A value that entities have, and how many have it."""

    value: str
    count: int


class Facets(BaseModel):
    """The values that a list can be filtered by."""

    kind: list[Facet]
    namespace: list[Facet]
    owner: list[Facet]
    lifecycle: list[Facet]
    tag: list[Facet]


class EntityQuery(BaseModel):
    """A filter of the catalogue; every condition that is set must hold."""

    model_config = ConfigDict(frozen=True)

    kind: Kind | None = None
    namespace: Namespace | None = None
    owner: Name | None = None
    tag: Tag | None = None
    lifecycle: Name | None = None
