"""Who acts, and what they may do."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Role = Literal["admin", "member", "viewer"]
TeamRole = Literal["owner", "member"]


class Scope(StrEnum):
    """What a program with an API key may do; routes without a scope need a session."""

    CATALOGUE_READ = "catalogue:read"
    CATALOGUE_WRITE = "catalogue:write"
    AUDIT_READ = "audit:read"


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The person or program behind a request.

    Parameters
    ----------
    teams
        The actor's roles in teams, by the team's name.
    session_id
        None for a program with an API key.
    scopes
        What an API key may be used for; None for a session, which has no such limit.
    session_epoch
        The account's, as it was when the actor was found.
    """

    user_id: uuid.UUID
    email: str
    role: Role
    teams: Mapping[str, TeamRole] = field(default_factory=dict)
    session_id: str | None = None
    key_id: uuid.UUID | None = None
    scopes: frozenset[Scope] | None = None
    must_change_password: bool = False
    session_epoch: int

    def may_change(self, owner_team: str) -> bool:
        """Whether the actor may change what `owner_team` owns."""
        return self.role == "admin" or (self.role == "member" and owner_team in self.teams)

    def may_manage(self, team: str) -> bool:
        """Whether the actor may change the team itself."""
        return self.role == "admin" or (self.role == "member" and self.teams.get(team) == "owner")
