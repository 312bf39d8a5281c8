"""Access to routes: each declares its rule with `access`, which enforces and documents it.

The rules know roles and scopes only. Whether someone may change one particular entity is decided by
the services, which know its owner.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Request

from app.config import Config
from app.constants import LIMIT_WINDOW_SECONDS
from app.exceptions import ForbiddenError, NotSignedInError, PortalError, UnavailableError
from app.http.dependencies import services_of
from app.http.middleware import Header
from app.http.responses import Responses, problems
from app.models.access import Actor, Scope
from app.storage.buckets import Standing
from app.storage.generations import Lookup

CHANGE_FIRST = "change your password first: POST /api/v1/auth/password"


class Access(StrEnum):
    """Who may use a route."""

    PUBLIC = "public"
    """Everybody."""
    READ = "read"
    """Everyone who is signed in; everybody if the catalogue is open to read."""
    INSIDE = "inside"
    """Everyone who is signed in; everybody in development."""
    SIGNED_IN = "signed-in"
    MEMBER = "member"
    """Members and administrators; viewers only read."""
    ADMIN = "admin"


async def find_actor(request: Request) -> Actor | None:
    """The sender of the request, charged for one request; None if there are no credentials.

    It is found once, whatever needs it. While senders cannot be identified, reads that are open to
    everybody go on.

    Raises
    ------
    NotSignedInError
        Raised for credentials that are not valid, or not any more.
    TooManyRequestsError
        Raised above the actor's limit.
    UnavailableError
        Raised when the sender cannot be identified and has to be.
    """
    state = request.state
    if not hasattr(state, "actor"):
        state.actor = await _identify(request)
    return state.actor


async def _identify(request: Request) -> Actor | None:
    services = services_of(request)
    lookup: Lookup | None = getattr(request.state, "lookup", None)
    try:
        found = await services.identities.identify(request, is_charged=True, lookup=lookup)
    except UnavailableError as error:
        if not (services.config.anonymous_reads and request.method in ("GET", "HEAD")):
            raise
        request.state.identity_error = error
        return None
    if found is None:
        return None
    actor, verdict = found
    if verdict is None:
        verdict = await services.limits.charge_actor(actor)
    request.state.response_headers.extend(_limit_headers(verdict.standings))
    verdict.check()
    return actor


async def find_known_actor(request: Request) -> Actor | None:
    """The sender, not charged; None if it cannot be identified: an error page must not fail itself.

    The request counts as a read, so that the CSRF token of a refused change is not checked again.
    """
    reading = Request({**request.scope, "method": "GET"})
    try:
        found = await services_of(request).identities.identify(reading)
    except PortalError:
        return None
    return found[0] if found else None


MaybeActorDep = Annotated[Actor | None, Depends(find_actor)]


async def _require_actor(request: Request, actor: MaybeActorDep) -> Actor:
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
    needs_password_login: bool = False,
    errors: Sequence[int] = (),
    responses: Responses | None = None,
    body: Mapping[str, Any] | None = None,
    plan: Callable[[Request], Lookup] | None = None,
) -> dict[str, Any]:
    """Keyword arguments for a route: its rule, and what the OpenAPI document shows of it.

    Parameters
    ----------
    scope
        The scope that an API key needs; without one, no API key is accepted.
    any_scope
        Whether every API key is accepted.
    with_first_password
        Whether it may be used before a password that somebody else has chosen was changed.
    needs_password_login
        Whether it is refused where nobody signs in with a password.
    errors
        Statuses of the problems that the route responds with, besides those of its rule.
    responses
        Other responses, as OpenAPI describes them.
    body
        The request body, for a route that reads it itself (see `app.http.uploads`).
    plan
        What the route needs of the cache: it is left in `state.lookup`, and carried out in the
        round trip that identifies the sender.
    """
    shown = {"x-access": rule.value, **(body or {})}
    if scope or any_scope:
        shown["x-scope"] = scope.value if scope else "any"
    public = rule is Access.PUBLIC
    guards = [] if public else [_Guard(rule, scope, any_scope, with_first_password, plan)]
    also = [_require_password_login] if needs_password_login else []
    own = ((403,) if also else ()) if public else (401, 403, 429, 503)
    return {
        "openapi_extra": shown,
        "dependencies": [Depends(guard) for guard in (*guards, *also)],
        "responses": {**problems(*own, *errors), **(responses or {})},
    }


read_catalogue = partial(access, Access.READ, scope=Scope.CATALOGUE_READ)
change_catalogue = partial(access, Access.MEMBER, scope=Scope.CATALOGUE_WRITE)


@dataclass(frozen=True)
class _Guard:
    rule: Access
    scope: Scope | None
    any_scope: bool
    with_first_password: bool
    plan: Callable[[Request], Lookup] | None

    async def __call__(self, request: Request) -> None:
        if self.plan is not None:
            request.state.lookup = self.plan(request)
        actor = await find_actor(request)
        config = services_of(request).config
        if self._is_open(config, actor):
            return
        actor = await _require_actor(request, actor)
        may_keep_it = self.with_first_password or not config.password_login_enabled
        if actor.must_change_password and not may_keep_it:
            raise ForbiddenError(CHANGE_FIRST)
        if not self.any_scope:
            _check_scope(actor, self.scope)
        _check_role(actor, self.rule)

    def _is_open(self, config: Config, actor: Actor | None) -> bool:
        if self.rule is Access.INSIDE:
            return not config.is_production
        return self.rule is Access.READ and actor is None and config.anonymous_reads


async def _require_password_login(request: Request) -> None:
    config = services_of(request).config
    if not config.password_login_enabled:
        raise ForbiddenError(
            f"signing in with a password is switched off: sign in with {config.oidc_name}"
        )


def _check_scope(actor: Actor, scope: Scope | None) -> None:
    if actor.scopes is not None and scope not in actor.scopes:
        required = f"the scope {scope}" if scope else "a session, not an API key"
        raise ForbiddenError(f"this needs {required}")


def _check_role(actor: Actor, rule: Access) -> None:
    allowed = {Access.ADMIN: ("admin",), Access.MEMBER: ("admin", "member")}
    if rule in allowed and actor.role not in allowed[rule]:
        raise ForbiddenError(f"this needs the role {rule.value} (yours is {actor.role})")


def _limit_headers(standings: Sequence[Standing]) -> list[Header]:
    """RateLimit and RateLimit-Policy, as draft-ietf-httpapi-ratelimit-headers defines them."""
    if not standings:
        return []
    policies = ", ".join(
        f'"{standing.bucket.name}";q={standing.bucket.capacity};w={LIMIT_WINDOW_SECONDS}'
        for standing in standings
    )
    left = ", ".join(
        f'"{standing.bucket.name}";r={standing.remaining};t={standing.full_in}'
        for standing in standings
    )
    return [(b"ratelimit-policy", policies.encode()), (b"ratelimit", left.encode())]
