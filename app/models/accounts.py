"""Accounts as clients see them."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.models.access import Role, TeamRole
from app.models.sessions import Email, OneTimeToken, Password, PersonName
from app.models.texts import TeamName


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
    has_password: bool
    has_identity: bool
    """Whether its owner has signed in at the OpenID Connect provider."""
    link_expires_at: datetime | None
    """Until when a link to choose a password is good; null without one."""
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
    has_identity: Literal[False] | None = None
    """False makes the account the first one's to sign in at the provider with its address."""


class UserIn(BaseModel):
    """An account to be created; its owner chooses the password."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "email": "grace@example.com",
                "name": "Grace Hopper",
                "role": "member",
                "teams": {"payments": "member"},
            }
        },
    )

    email: Email
    name: PersonName = ""
    role: Role = "member"
    teams: Annotated[dict[TeamName, TeamRole], Field(max_length=20)] = {}


class PasswordLinkOut(BaseModel):
    """A link by which the account's owner chooses a password, once; shown this one time."""

    url: str
    expires_at: datetime


class UserCreated(UserOut):
    """A new account, and the link for its owner."""

    password_link: PasswordLinkOut


class PasswordByLinkIn(BaseModel):
    """The token of a link, and the password that its user has chosen."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "token": "Vn4yqUjzcv0Q2lq4k9yTQ8mUu1c3bqk5lVg0S7o0n2E",
                "new_password": "velvet-harbour-thimble",
            }
        }
    )

    token: OneTimeToken
    new_password: Password
