"""Accounts as clients see them."""

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.models.access import Role, TeamRole


class Me(BaseModel):
    """The account behind the request; changes by cookie have to carry `csrf_token`."""

    email: str
    role: Role
    teams: dict[str, TeamRole]
    must_change_password: bool
    scopes: list[str] | None = None
    """The scopes of an API key; null for a session, which has no such limit."""
    csrf_token: str | None = None


class Registered(BaseModel):
    """The response, whether or not the address had an account before."""

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
    """A change; fields that are left out stay as they are."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"role": "viewer", "is_active": True}}
    )

    role: Annotated[Role | None, Field()] = None
    is_active: bool | None = None
