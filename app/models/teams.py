"""Teams as clients see them."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from app.lines import LINE
from app.models.access import TeamRole
from app.models.texts import TeamName, check_storable

Title = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=LINE),
]
Description = Annotated[str, StringConstraints(max_length=2000), AfterValidator(check_storable)]


class TeamIn(BaseModel):
    """A team to be created; its name cannot change."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"name": "payments", "title": "Payments", "description": "Takes money."}
        },
    )

    name: TeamName
    title: Title
    description: Description = ""


class TeamChange(BaseModel):
    """A change; fields that are left out stay as they are."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"title": "Payments and refunds"}}
    )

    title: Title | None = None
    description: Description | None = None


class TeamOut(BaseModel):
    """A team."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    title: str
    description: str


class TeamMember(BaseModel):
    """A member of a team; owners may change it."""

    model_config = ConfigDict(from_attributes=True)

    email: str
    name: str
    role: TeamRole


class TeamWithMembers(TeamOut):
    """A team and its members; null for clients that are not signed in."""

    members: list[TeamMember] | None = None


class TeamList(BaseModel):
    """Teams by name."""

    items: list[TeamOut]


class MemberIn(BaseModel):
    """A member's role in a team."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"role": "owner"}})

    role: TeamRole = "member"
