"""Logging in and sessions, as clients see them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from app.lines import LINE
from app.models.texts import check_storable
from app.settings import EMAIL_PATTERN

Email = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        to_lower=True,
        max_length=254,
        pattern=EMAIL_PATTERN,
    ),
]
"""An address as browsers accept it, in lower case."""


def _check_secret(value: SecretStr) -> SecretStr:
    check_storable(value.get_secret_value())
    return value


_Secret = Annotated[SecretStr, AfterValidator(_check_secret)]
"""Where other texts are, the library itself refuses what UTF-8 cannot hold."""
Password = Annotated[_Secret, Field(min_length=1, max_length=1024)]
"""Given or new: this bound is above that of new ones, of which it so reveals nothing."""
OneTimeToken = Annotated[_Secret, Field(min_length=1, max_length=200)]
PersonName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100, pattern=LINE)]


class LoginIn(BaseModel):
    """Credentials."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"email": "ada@example.com", "password": "orbit-lantern-mosaic"}
        }
    )

    email: Email
    password: Password


class RefreshIn(BaseModel):
    """The newest refresh token; an older one ends the session."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"refresh_token": "V0qk3C8u2xB1.pZ0qF7r3mXc9"}}
    )

    refresh_token: OneTimeToken


class TokensOut(BaseModel):
    """Tokens of a session (as RFC 6749, section 5.1, names them)."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2lnbmF0dXJl",
                "refresh_token": "V0qk3C8u2xB1.pZ0qF7r3mXc9",
                "token_type": "bearer",
                "expires_in": 1800,
            }
        }
    )

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"
    expires_in: int
    """Seconds until the access token expires."""


class SessionOut(BaseModel):
    """One session of the actor; `current` is the one of this request."""

    id: str
    created_at: datetime
    refreshed_at: datetime
    ends_at: datetime
    address: str
    agent: str
    current: bool


class SessionList(BaseModel):
    """Sessions, newest first."""

    items: list[SessionOut]


class RegisterIn(BaseModel):
    """An account to be created."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "email": "ada@example.com",
                "name": "Ada Lovelace",
                "password": "orbit-lantern-mosaic",
            }
        }
    )

    email: Email
    name: PersonName = ""
    password: Password


class PasswordChangeIn(BaseModel):
    """The current password and the new one."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "current_password": "orbit-lantern-mosaic",
                "new_password": "velvet-harbour-thimble",
            }
        }
    )

    current_password: Password
    new_password: Password
