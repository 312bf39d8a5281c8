"""Who may do what: each route declares its rule with `access`, and the OpenAPI document shows it.

Rules of a route know roles and scopes alone. Whether someone may change this one entity is for
the services to say, which know its owner.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Literal

from fastapi import Depends, Request

from app.config import Config
from app.exceptions import ForbiddenError, NotSignedInError, UnavailableError
from app.limit_headers import limit_headers
from app.problem_responses import describe_problems

Role = Literal["admin", "member", "viewer"]
TeamRole = Literal["owner", "member"]


class Access(StrEnum):
    """Who gets through to a route."""

    PUBLIC = "public"
    """Everybody."""
    READ = "read"
    """Whoever is signed in; everybody where the portal is open to read."""
    INSIDE = "inside"
    """Whoever is signed in; everybody in development."""
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
    key_id: uuid.UUID | None = None
    scopes: frozenset[Scope] | None = None
    must_change_password: bool = False

    def may_change(self, owner_team: str) -> bool:
        """Whether what `owner_team` owns may be changed."""
        return self.role == "admin" or (self.role == "member" and owner_team in self.teams)

    def decides_for(self, team: str) -> bool:
        """Whether the team itself may be changed."""
        return self.role == "admin" or self.teams.get(team) == "owner"


async def find_actor(request: Request) -> Actor | None:
    """Who sent the request, and one request less of what they may send; None for nobody.

    While nobody can tell, reads that are open to everybody go on.

    Raises
    ------
    NotSignedInError
        Raised for credentials that are not good, or not good any more.
    TooManyRequestsError
        Raised above the actor's limit.
    UnavailableError
        Raised when nobody can tell and it matters.
    """
    state = request.app.state
    try:
        actor: Actor | None = await state.identities.identify(request)
    except UnavailableError as error:
        if not (state.config.anonymous_reads and request.method in ("GET", "HEAD")):
            raise
        request.state.identity_error = error
        return None
    if actor is not None:
        verdict = await state.limits.charge_actor(actor)
        request.state.answer_headers.extend(limit_headers(verdict.standings))
        verdict.check()
    return actor


MaybeActorDep = Annotated[Actor | None, Depends(find_actor)]


def _require_actor(request: Request, actor: MaybeActorDep) -> Actor:
    if actor is not None:
        return actor
    unknown: UnavailableError | None = getattr(request.state, "identity_error", None)
    raise unknown or NotSignedInError("sign in, or send an API key as `Authorization: Bearer`")


ActorDep = Annotated[Actor, Depends(_require_actor)]


def access(
    rule: Access,
    *,
    scope: Scope | None = None,
    any_scope: bool = False,
    with_first_password: bool = False,
    problems: Sequence[int] = (),
    responses: Mapping[int | str, dict[str, Any]] = {},
) -> dict[str, Any]:
    """Keyword arguments for a route: its rule, enforced and documented.

    Parameters
    ----------
    scope
        What an API key needs to get through; without one no key does.
    any_scope
        Whether every API key gets through.
    with_first_password
        Whether it may be used before a password was changed that somebody else has chosen.
    problems
        Statuses of errors the route answers, beside those of its rule.
    responses
        Other answers of the route's, described as OpenAPI has it.
    """
    shown = {"x-access": rule.value}
    if scope or any_scope:
        shown["x-scope"] = scope.value if scope else "any"
    if rule is Access.PUBLIC:
        return {"openapi_extra": shown, "responses": {**describe_problems(*problems), **responses}}
    guard = _Guard(rule, scope, any_scope, with_first_password)
    return {
        "openapi_extra": shown,
        "dependencies": [Depends(guard)],
        "responses": {**describe_problems(401, 403, 429, 503, *problems), **responses},
    }


def guard(rule: Access, *, scope: Scope) -> "_Guard":
    """The rule of a route that declares it elsewhere."""
    return _Guard(rule, scope, any_scope=False, with_first_password=False)


@dataclass(frozen=True)
class _Guard:
    rule: Access
    scope: Scope | None
    any_scope: bool
    with_first_password: bool

    async def __call__(self, request: Request, actor: MaybeActorDep) -> None:
        if self._is_open(request.app.state.config, actor):
            return
        actor = _require_actor(request, actor)
        if actor.must_change_password and not self.with_first_password:
            raise ForbiddenError("change your password first: POST /api/v1/auth/password")
        if not self.any_scope:
            _check_scope(actor, self.scope)
        _check_role(actor, self.rule)

    def _is_open(self, config: Config, actor: Actor | None) -> bool:
        if self.rule is Access.INSIDE:
            return not config.is_production
        return self.rule is Access.READ and actor is None and config.anonymous_reads


def _check_scope(actor: Actor, scope: Scope | None) -> None:
    if actor.scopes is not None and scope not in actor.scopes:
        wanted = f"the scope {scope}" if scope else "a session, not an API key"
        raise ForbiddenError(f"this needs {wanted}")


def _check_role(actor: Actor, rule: Access) -> None:
    allowed = {Access.ADMIN: ("admin",), Access.MEMBER: ("admin", "member")}
    if rule in allowed and actor.role not in allowed[rule]:
        raise ForbiddenError(f"this is for the role {rule.value} (yours is {actor.role})")
