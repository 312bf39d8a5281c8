"""The result of an import of catalog-info.yaml."""

from typing import Literal

from pydantic import BaseModel

from app.models.texts import Kind


class ImportedEntity(BaseModel):
    """One document of the file."""

    kind: Kind
    namespace: str
    name: str
    result: Literal["created", "updated", "unchanged"]


class ImportResult(BaseModel):
    """Every document of the file, in order."""

    items: list[ImportedEntity]
