"""Catalogue entries as clients see and send them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from app.models.texts import (
    Annotations,
    Kind,
    Labels,
    Line,
    Name,
    Namespace,
    Spec,
    Tag,
    TeamName,
    Text,
    Title,
    WebLink,
)

EntityField = Literal[
    "title",
    "description",
    "owner",
    "lifecycle",
    "tags",
    "links",
    "annotations",
    "labels",
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
    "annotations": {"backstage.io/source-location": "url:https://git.example.com/checkout/"},
    "labels": {"tier": "1"},
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

    @property
    def folded(self) -> "EntityKey":
        """The same for names that differ in case alone, of which there is only one."""
        return EntityKey(self.kind, self.namespace, self.name.lower())


class Link(BaseModel):
    """Somewhere else to look."""

    model_config = ConfigDict(extra="forbid")

    url: WebLink
    title: Line = ""
    icon: Line = ""
    """What kind of picture stands for it, such as `dashboard`; kept for other programs."""
    type: Line = ""
    """What the link is for, in the organisation's own words."""

    @model_serializer(mode="wrap")
    def _leave_out_nothing(self, serialise: SerializerFunctionWrapHandler) -> dict[str, str]:
        """As links were stored before they had an icon and a type, unless they have one."""
        found: dict[str, str] = serialise(self)
        return {name: value for name, value in found.items() if value or name in ("url", "title")}


def _unique(tags: list[str]) -> list[str]:
    return list(dict.fromkeys(tags))


class EntityChange(BaseModel):
    """An entity's content, without the key that it keeps."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    title: Title
    description: Text = ""
    owner: Annotated[TeamName, Field(description="Name of the team that owns the entity.")]
    lifecycle: Name = "production"
    tags: Annotated[list[Tag], Field(max_length=100), AfterValidator(_unique)] = []
    links: Annotated[list[Link], Field(max_length=100)] = []
    annotations: Annotations = {}
    labels: Labels = {}
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
    annotations: dict[str, str]
    labels: dict[str, str]
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
    annotations: dict[str, str] | None = None
    labels: dict[str, str] | None = None
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
    owner: TeamName | None = None
    tag: Tag | None = None
    lifecycle: Name | None = None
