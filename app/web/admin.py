"""Administration: accounts and the audit trail."""

import uuid
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import ValidationError

from app.constants import PAGE_SIZE
from app.exceptions import InvalidRequestError, PortalError
from app.http.access import Access, ActorDep, access
from app.http.dependencies import AccountsDep, AuditDep
from app.models.accounts import UserChange
from app.models.audit import AuditFilter
from app.web.forms import Form
from app.web.links import with_query
from app.web.views import View, ViewDep

router = APIRouter(prefix="/admin", include_in_schema=False)
_AUDIT_FILTERS = ("actor", "action", "target", "request_id")


@router.get("/users", **access(Access.ADMIN))
async def show_users(
    view: ViewDep, accounts: AccountsDep, cursor: str | None = None
) -> HTMLResponse:
    """Accounts by address."""
    return await _render_users(view, accounts, Form(), cursor)


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
    following = {**chosen, "cursor": page.next_cursor}
    return view.render(
        "admin/audit.html",
        form=Form(chosen),
        chosen=chosen,
        events=page.items,
        is_later_page=bool(cursor),
        next_url=with_query("/admin/audit", following) if page.next_cursor else "",
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


async def _render_users(
    view: View, accounts: AccountsDep, form: Form, cursor: str | None = None
) -> HTMLResponse:
    page = await accounts.list_page(cursor=cursor or None, limit=PAGE_SIZE)
    following = {"cursor": page.next_cursor}
    return view.render(
        "admin/users.html",
        form=form,
        users=page.items,
        is_later_page=bool(cursor),
        next_url=with_query("/admin/users", following) if page.next_cursor else "",
    )
