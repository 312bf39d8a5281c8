"""The user's own account: password, API keys, sessions."""

import uuid
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from pydantic import ValidationError

from app.exceptions import PortalError
from app.http.access import Access, ActorDep, access
from app.http.dependencies import AccountsDep, ApiKeysDep, CookiesDep, SessionsDep, own_url
from app.models.access import Scope
from app.models.api_keys import ApiKeyIn
from app.models.sessions import PasswordChangeIn
from app.web.forms import Form
from app.web.views import View, ViewDep

router = APIRouter(prefix="/account", include_in_schema=False)
_OF_PASSWORD = access(Access.SIGNED_IN, with_first_password=True, needs_password_login=True)
_SCOPES = (
    (Scope.CATALOGUE_READ, "Read the catalogue", "Entries, API documents, documentation, search."),
    (Scope.CATALOGUE_WRITE, "Change the catalogue", "What your teams own."),
    (Scope.AUDIT_READ, "Read the audit trail", "For administrators."),
)


@router.get("/password", **_OF_PASSWORD)
async def show_password(view: ViewDep) -> HTMLResponse:
    """The form for another password."""
    return view.render("account/password.html")


@router.post("/password", **_OF_PASSWORD)
async def change_password(
    view: ViewDep, actor: ActorDep, accounts: AccountsDep, cookies: CookiesDep
) -> Response:
    """Set it; this browser goes on with a new session."""
    form = await Form.read(view.request)
    try:
        given = PasswordChangeIn(
            current_password=form.secret("current_password"),
            new_password=form.secret("new_password"),
        )
        tokens = await accounts.change_password(
            actor,
            current=given.current_password.get_secret_value(),
            new=given.new_password.get_secret_value(),
            agent=view.agent,
        )
    except (PortalError, ValidationError) as error:
        form.refused(error)
        return view.render("account/password.html", form=form)
    response = view.redirect("/", notice="password")
    cookies.attach(response, tokens)
    return response


@router.get("/keys", **access(Access.SIGNED_IN))
async def show_keys(view: ViewDep, actor: ActorDep, keys: ApiKeysDep) -> HTMLResponse:
    """The user's keys, and the form for another."""
    form = Form({"days": "90"}, scopes=[Scope.CATALOGUE_READ])
    return await _render_keys(view, actor, keys, form)


@router.post("/keys", **access(Access.SIGNED_IN))
async def create_key(view: ViewDep, actor: ActorDep, keys: ApiKeysDep) -> HTMLResponse:
    """Create a key and show it in the response itself: no URL and no cookie ever contains it."""
    form = await Form.read(view.request)
    values = {"name": form.text("name"), "days": form.text("days")}
    try:
        wanted = ApiKeyIn.model_validate({**values, "scopes": form.chosen("scopes")})
        created = await keys.create(actor, wanted)
    except (PortalError, ValidationError) as error:
        return await _render_keys(view, actor, keys, form.refused(error))
    empty = Form({"days": "90"}, scopes=[Scope.CATALOGUE_READ])
    return await _render_keys(view, actor, keys, empty, created=created)


@router.post("/keys/{key_id}/revoke", **access(Access.SIGNED_IN))
async def revoke_key(
    view: ViewDep, actor: ActorDep, keys: ApiKeysDep, key_id: uuid.UUID
) -> Response:
    """End a key."""
    await keys.revoke(actor, key_id)
    return view.redirect("/account/keys", notice="key-revoked")


@router.get("/sessions", **access(Access.SIGNED_IN))
async def show_sessions(view: ViewDep, actor: ActorDep, sessions: SessionsDep) -> HTMLResponse:
    """The user's sessions."""
    return view.render("account/sessions.html", sessions=await sessions.list_of(actor))


@router.post("/sessions/{session_id}/revoke", **access(Access.SIGNED_IN))
async def revoke_session(
    view: ViewDep, actor: ActorDep, sessions: SessionsDep, session_id: str
) -> Response:
    """End a session."""
    await sessions.revoke(actor, session_id)
    return view.redirect("/account/sessions", notice="session-revoked")


async def _render_keys(
    view: View, actor: ActorDep, keys: ApiKeysDep, form: Form, created: Any = None
) -> HTMLResponse:
    scopes = _SCOPES if actor.role == "admin" else _SCOPES[: 2 if view.may_write else 1]
    return view.render(
        "account/keys.html",
        form=form,
        keys=await keys.list_of(actor),
        created=created,
        scopes=scopes,
        origin=own_url(view.request, ""),
    )
