"""API keys as their owners see them."""

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.constants import MAX_KEY_DAYS
from app.lines import LINE
from app.models.access import Scope

KeyName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=LINE),
]


class ApiKeyIn(BaseModel):
    """A request for a key: its purpose, its scopes and its lifetime in days."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"name": "CI of checkout", "scopes": ["catalogue:read"], "days": 90}
        }
    )

    name: KeyName
    # A scope that is named twice counts once.
    scopes: Annotated[set[Scope], Field(min_length=1, json_schema_extra={"uniqueItems": False})]
    days: Annotated[int, Field(ge=1, le=MAX_KEY_DAYS)] = 90


class ApiKeyOut(BaseModel):
    """A key without its secret; `prefix` is how it begins."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    name: str
    prefix: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class ApiKeyCreated(ApiKeyOut):
    """A new key; `key` is shown this one time."""

    key: str


class ApiKeyList(BaseModel):
    """Keys, newest first."""

    items: list[ApiKeyOut]
