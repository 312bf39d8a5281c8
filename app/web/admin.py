"""Administration: accounts and the audit trail."""

import uuid
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import ValidationError

from app.constants import PAGE_SIZE
from app.exceptions import InvalidRequestError, PortalError
from app.http.access import Access, ActorDep, access
from app.http.dependencies import AccountsDep, AuditDep, PasswordLinksDep, TeamsDep, own_url
from app.models.accounts import UserChange, UserIn
from app.models.audit import AuditFilter
from app.models.sessions import Email
from app.services.password_links import NewLink
from app.web.forms import Form
from app.web.links import next_page
from app.web.views import View, ViewDep

router = APIRouter(prefix="/admin", include_in_schema=False)
_AUDIT_FILTERS = ("actor", "action", "target", "request_id")


@router.get("/users", **access(Access.ADMIN))
async def show_users(
    view: ViewDep, accounts: AccountsDep, cursor: Email | None = None
) -> HTMLResponse:
    """Accounts by address."""
    return await _render_users(view, accounts, Form(), cursor)


@router.get("/users/new", **access(Access.ADMIN, needs_password_login=True))
async def show_new_user(view: ViewDep, teams: TeamsDep) -> HTMLResponse:
    """The form for an account."""
    return await _render_new_user(view, teams, Form({"role": "member", "team_role": "member"}))


@router.post("/users/new", **access(Access.ADMIN, needs_password_login=True))
async def create_user(
    view: ViewDep, actor: ActorDep, links: PasswordLinksDep, teams: TeamsDep
) -> HTMLResponse:
    """Create it and show its link in the response itself."""
    form = await Form.read(view.request)
    values = {name: form.text(name) for name in ("email", "name", "role")}
    team = form.text("team")
    try:
        wanted = UserIn.model_validate(
            {**values, "teams": {team: form.text("team_role")} if team else {}}
        )
        user, link = await links.invite(actor, wanted)
    except (PortalError, ValidationError) as error:
        return await _render_new_user(view, teams, form.refused(error))
    return _render_link(view, f"{user.email} has an account", user.email, link)


@router.post("/users/{user_id}/password-link", **access(Access.ADMIN, needs_password_login=True))
async def create_password_link(
    view: ViewDep,
    actor: ActorDep,
    accounts: AccountsDep,
    links: PasswordLinksDep,
    user_id: uuid.UUID,
) -> HTMLResponse:
    """Make a link for another password and show it in the response itself."""
    try:
        email, link = await links.renew(actor, user_id)
    except PortalError as error:
        return await _render_users(view, accounts, Form().refused(error))
    return _render_link(view, f"A new link for {email}", email, link)


@router.post("/users/{user_id}/role", **access(Access.ADMIN))
async def set_role(
    view: ViewDep, actor: ActorDep, accounts: AccountsDep, user_id: uuid.UUID
) -> Response:
    """Give an account another role."""
    form = await Form.read(view.request)
    return await _change(view, actor, accounts, user_id, form, {"role": form.text("role")})


@router.post("/users/{user_id}/access", **access(Access.ADMIN))
async def set_access(
    view: ViewDep, actor: ActorDep, accounts: AccountsDep, user_id: uuid.UUID
) -> Response:
    """Take an account out of use, or put it back."""
    form = await Form.read(view.request)
    wanted = {"is_active": form.text("active") == "yes"}
    return await _change(view, actor, accounts, user_id, form, wanted)


@router.get("/audit", **access(Access.ADMIN))
async def show_audit(
    request: Request, view: ViewDep, audit: AuditDep, cursor: str | None = None
) -> HTMLResponse:
    """What was done, the newest first."""
    given = request.query_params
    chosen = {name: given[name].strip() for name in _AUDIT_FILTERS if given.get(name, "").strip()}
    page = await audit.list_page(_read_filter(chosen), cursor=cursor or None, limit=PAGE_SIZE)
    return view.render(
        "admin/audit.html",
        form=Form(chosen),
        chosen=chosen,
        events=page.items,
        is_later_page=bool(cursor),
        next_url=next_page("/admin/audit", chosen, page.next_cursor),
    )


def _read_filter(chosen: dict[str, Any]) -> AuditFilter:
    try:
        return AuditFilter.model_validate(chosen)
    except ValidationError as error:
        raise InvalidRequestError("no event can have such a property") from error


async def _change(
    view: View,
    actor: ActorDep,
    accounts: AccountsDep,
    user_id: uuid.UUID,
    form: Form,
    wanted: dict[str, Any],
) -> Response:
    try:
        await accounts.change(actor, user_id, UserChange.model_validate(wanted))
    except (PortalError, ValidationError) as error:
        return await _render_users(view, accounts, form.refused(error))
    return view.redirect("/admin/users", notice="user-changed")


async def _render_new_user(view: View, teams: TeamsDep, form: Form) -> HTMLResponse:
    return view.render("admin/new_user.html", form=form, teams=await teams.list_all())


def _render_link(view: View, heading: str, email: str, link: NewLink) -> HTMLResponse:
    return view.render(
        "admin/password_link.html",
        heading=heading,
        email=email,
        url=own_url(view.request, link.path),
        expires_at=link.expires_at,
    )


async def _render_users(
    view: View, accounts: AccountsDep, form: Form, cursor: str | None = None
) -> HTMLResponse:
    page = await accounts.list_page(cursor=cursor or None, limit=PAGE_SIZE)
    return view.render(
        "admin/users.html",
        form=form,
        users=page.items,
        is_later_page=bool(cursor),
        next_url=next_page("/admin/users", {}, page.next_cursor),
    )
