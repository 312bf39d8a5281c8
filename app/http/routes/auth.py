"""Accounts and sessions."""

from fastapi import APIRouter, Request, Response

from app.http.access import Access, ActorDep, access
from app.http.cookies import csrf_token
from app.http.dependencies import (
    AccountsDep,
    ConfigDep,
    CookiesDep,
    PasswordLinksDep,
    PasswordSignInDep,
    SessionsDep,
)
from app.models.accounts import Me, PasswordByLinkIn, Registered
from app.models.sessions import (
    LoginIn,
    PasswordChangeIn,
    RefreshIn,
    RegisterIn,
    SessionList,
    TokensOut,
)
from app.services.tokens import Tokens

router = APIRouter(prefix="/api/v1", tags=["accounts"])


@router.post(
    "/auth/register",
    status_code=202,
    **access(Access.PUBLIC, needs_password_login=True, errors=(422, 429, 503)),
)
async def register(accounts: AccountsDep, wanted: RegisterIn) -> Registered:
    """Create an account, as a viewer. The response is the same if the address has one."""
    await accounts.register(
        email=wanted.email, name=wanted.name, password=wanted.password.get_secret_value()
    )
    return Registered(detail="log in with this address and password")


@router.post(
    "/auth/login",
    **access(Access.PUBLIC, needs_password_login=True, errors=(401, 422, 429, 503)),
)
async def log_in(passwords: PasswordSignInDep, request: Request, given: LoginIn) -> TokensOut:
    """Begin a session of a program; browsers log in on the page `/sign-in`."""
    tokens = await passwords.log_in(
        given.email, given.password.get_secret_value(), agent=_agent(request)
    )
    return _show(tokens)


@router.post("/auth/refresh", **access(Access.PUBLIC, errors=(401, 422, 429, 503)))
async def refresh(sessions: SessionsDep, given: RefreshIn) -> TokensOut:
    """New tokens. A refresh token may be used once; a second use ends the session."""
    return _show(await sessions.refresh(given.refresh_token.get_secret_value()))


@router.post("/auth/logout", status_code=204, **access(Access.SIGNED_IN, with_first_password=True))
async def log_out(
    actor: ActorDep, sessions: SessionsDep, cookies: CookiesDep, response: Response
) -> None:
    """End this session."""
    assert actor.session_id is not None
    await sessions.revoke(actor, actor.session_id)
    cookies.clear(response)


@router.post(
    "/auth/password",
    **access(
        Access.SIGNED_IN, with_first_password=True, needs_password_login=True, errors=(409, 422)
    ),
)
async def change_password(
    actor: ActorDep, accounts: AccountsDep, request: Request, given: PasswordChangeIn
) -> TokensOut:
    """Set another password: every other session ends, this one goes on with the new tokens."""
    tokens = await accounts.change_password(
        actor,
        current=given.current_password.get_secret_value(),
        new=given.new_password.get_secret_value(),
        agent=_agent(request),
    )
    return _show(tokens)


@router.post(
    "/auth/password-link",
    status_code=204,
    **access(Access.PUBLIC, needs_password_login=True, errors=(410, 422, 429, 503)),
)
async def use_password_link(links: PasswordLinksDep, given: PasswordByLinkIn) -> None:
    """Choose a password by a link of an administrator's: it is good once, and sessions end."""
    await links.use(given.token.get_secret_value(), given.new_password.get_secret_value())


@router.get("/auth/sessions", **access(Access.SIGNED_IN))
async def list_sessions(actor: ActorDep, sessions: SessionsDep) -> SessionList:
    """Where the actor is signed in."""
    return SessionList(items=await sessions.list_of(actor))


@router.delete(
    "/auth/sessions/{session_id}", status_code=204, **access(Access.SIGNED_IN, errors=(404,))
)
async def revoke_session(actor: ActorDep, sessions: SessionsDep, session_id: str) -> None:
    """End one of the actor's sessions, everywhere and immediately."""
    await sessions.revoke(actor, session_id)


@router.get("/me", **access(Access.SIGNED_IN, any_scope=True, with_first_password=True))
async def show_me(actor: ActorDep, config: ConfigDep) -> Me:
    """The account that sends this request."""
    return Me(
        email=actor.email,
        role=actor.role,
        teams=dict(actor.teams),
        must_change_password=actor.must_change_password,
        scopes=None if actor.scopes is None else sorted(actor.scopes),
        csrf_token=csrf_token(config, actor.session_id) if actor.session_id else None,
    )


def _show(tokens: Tokens) -> TokensOut:
    assert tokens.refresh is not None
    return TokensOut(
        access_token=tokens.access, refresh_token=tokens.refresh, expires_in=tokens.expires_in
    )


def _agent(request: Request) -> str:
    return request.headers.get("user-agent", "")
