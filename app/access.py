"""Who may do what: each route declares its rule with `access`, and the OpenAPI document shows it.

Rules of a route know roles and scopes alone. Whether someone may change this one entity is for
the services to say, which know its owner.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Literal

from fastapi import Depends, Request

from app.exceptions import ForbiddenError, NotSignedInError
from app.models.problem import Problem

Role = Literal["admin", "member", "viewer"]
TeamRole = Literal["owner", "member"]


class Access(StrEnum):
    """Who gets through to a route."""

    PUBLIC = "public"
    """Everybody."""
    READ = "read"
    """Whoever is signed in; everybody where the portal is open to read."""
    SIGNED_IN = "signed-in"
    MEMBER = "member"
    """Members and administrators; viewers only read."""
    ADMIN = "admin"


class Scope(StrEnum):
    """What a program with an API key may do; routes without a scope want a session."""

    CATALOGUE_READ = "catalogue:read"
    CATALOGUE_WRITE = "catalogue:write"
    AUDIT_READ = "audit:read"


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who is behind a request.

    Parameters
    ----------
    teams
        The actor's teams by name.
    session_id
        None for a program with an API key.
    scopes
        What an API key is good for; None for a session, which is good for everything.
    """

    user_id: uuid.UUID
    email: str
    role: Role
    teams: Mapping[str, TeamRole] = field(default_factory=dict)
    session_id: str | None = None
    scopes: frozenset[Scope] | None = None
    must_change_password: bool = False

    def may_change(self, owner_team: str) -> bool:
        """Whether what `owner_team` owns may be changed."""
        return self.role == "admin" or (self.role == "member" and owner_team in self.teams)

    def decides_for(self, team: str) -> bool:
        """Whether the team itself may be changed."""
        return self.role == "admin" or self.teams.get(team) == "owner"


async def find_actor(request: Request) -> Actor | None:
    """Who sent the request; None for nobody in particular.

    Raises
    ------
    NotSignedInError
        Raised for credentials that are not good, or not good any more.
    """
    actor: Actor | None = await request.app.state.identities.identify(request)
    return actor


MaybeActorDep = Annotated[Actor | None, Depends(find_actor)]


def _require_actor(actor: MaybeActorDep) -> Actor:
    if actor is None:
        raise NotSignedInError("sign in, or send an API key as `Authorization: Bearer`")
    return actor


ActorDep = Annotated[Actor, Depends(_require_actor)]


def access(rule: Access, *, scope: Scope | None = None) -> dict[str, Any]:
    """Keyword arguments for a route: its rule, enforced and documented.

    Parameters
    ----------
    scope
        What an API key needs to get through; without one no key does.
    """
    shown = {"x-access": rule.value, **({"x-scope": scope.value} if scope else {})}
    if rule is Access.PUBLIC:
        return {"openapi_extra": shown}
    return {
        "openapi_extra": shown,
        "dependencies": [Depends(_Guard(rule, scope))],
        "responses": {401: {"model": Problem}, 403: {"model": Problem}},
    }


@dataclass(frozen=True)
class _Guard:
    rule: Access
    scope: Scope | None

    async def __call__(self, request: Request, actor: MaybeActorDep) -> None:
        if actor is None and self.rule is Access.READ and request.app.state.config.anonymous_reads:
            return
        _check(_require_actor(actor), self.rule, self.scope)


def _check(actor: Actor, rule: Access, scope: Scope | None) -> None:
    if actor.scopes is not None and scope not in actor.scopes:
        wanted = f"the scope {scope}" if scope else "a session, not an API key"
        raise ForbiddenError(f"this needs {wanted}")
    allowed = {Access.ADMIN: ("admin",), Access.MEMBER: ("admin", "member")}
    if rule in allowed and actor.role not in allowed[rule]:
        raise ForbiddenError(f"this is for the role {rule.value} (yours is {actor.role})")
