"""Relations between entities."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from app.models.texts import Kind

RelationType = Literal["part_of", "depends_on", "provides", "consumes"]


class EntityRef(BaseModel):
    """An entity at the other end of a relation; one that is not there yet has its name alone."""

    model_config = ConfigDict(from_attributes=True)

    kind: Kind
    namespace: str
    name: str
    title: str
    exists: bool = True


class RelationOut(BaseModel):
    """One edge: where it leads to, or where it comes from."""

    type: RelationType
    entity: EntityRef


class Relations(BaseModel):
    """Everything an entity is directly related to."""

    outgoing: list[RelationOut]
    """`this entity depends_on that one`."""
    incoming: list[RelationOut]
    """`that one depends_on this entity`."""
