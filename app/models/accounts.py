"""Accounts as clients see them."""

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.models.access import Role, TeamRole


class Me(BaseModel):
    """Who the request is of; `csrf_token` is what changes by cookie have to carry."""

    email: str
    role: Role
    teams: dict[str, TeamRole]
    must_change_password: bool
    scopes: list[str] | None = None
    """What an API key is good for; null for a session, which is good for everything."""
    csrf_token: str | None = None


class Registered(BaseModel):
    """What is told whether there was an account of that address before or not."""

    detail: str


class UserOut(BaseModel):
    """An account as administrators see it."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    email: str
    name: str
    role: Role
    is_active: bool
    must_change_password: bool
    created_at: datetime
    teams: dict[str, TeamRole]


class UserPage(BaseModel):
    """Accounts in order of their addresses."""

    items: list[UserOut]
    next_cursor: str | None = None


class UserChange(BaseModel):
    """What is to change; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"role": "viewer", "is_active": True}}
    )

    role: Annotated[Role | None, Field()] = None
    is_active: bool | None = None
