"""Accounts and the audit trail, for administrators."""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from app.constants import MAX_PAGE_SIZE, PAGE_SIZE
from app.http.access import Access, ActorDep, access
from app.http.dependencies import AccountsDep, AuditDep, PasswordLinksDep, own_url
from app.models.access import Scope
from app.models.accounts import PasswordLinkOut, UserChange, UserCreated, UserIn, UserOut, UserPage
from app.models.audit import AuditFilter, AuditFormat, AuditPage
from app.models.sessions import Email
from app.services.password_links import NewLink

router = APIRouter(prefix="/api/v1/admin", tags=["administration"])
_Limit = Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE)]
_Cursor = Annotated[str, Query(max_length=30)]
_NDJSON, _CSV = "application/x-ndjson", "text/csv; charset=utf-8"
_EXPORTS: dict[str, Any] = {
    "description": "A page as JSON; with `format`, all events as a file.",
    "content": {
        _NDJSON: {"schema": {"type": "string"}},
        "text/csv": {"schema": {"type": "string"}},
    },
}


@router.get("/users", **access(Access.ADMIN, errors=(422,)))
async def list_users(
    accounts: AccountsDep, cursor: Email | None = None, limit: _Limit = PAGE_SIZE
) -> UserPage:
    """Accounts by address."""
    return await accounts.list_page(cursor=cursor, limit=limit)


@router.post(
    "/users",
    status_code=201,
    **access(Access.ADMIN, needs_password_login=True, errors=(409, 422)),
)
async def create_user(
    request: Request, actor: ActorDep, links: PasswordLinksDep, wanted: UserIn
) -> UserCreated:
    """Create an account; the response has the link by which its owner chooses a password."""
    user, link = await links.invite(actor, wanted)
    return UserCreated(**user.model_dump(), password_link=_show(request, link))


@router.post(
    "/users/{user_id}/password-link",
    status_code=201,
    **access(Access.ADMIN, needs_password_login=True, errors=(404, 409, 422)),
)
async def create_password_link(
    request: Request, actor: ActorDep, links: PasswordLinksDep, user_id: uuid.UUID
) -> PasswordLinkOut:
    """Make a link by which the owner chooses another password; the one before is good no more."""
    _, link = await links.renew(actor, user_id)
    return _show(request, link)


@router.patch("/users/{user_id}", **access(Access.ADMIN, errors=(404, 409, 422)))
async def change_user(
    actor: ActorDep, accounts: AccountsDep, user_id: uuid.UUID, wanted: UserChange
) -> UserOut:
    """Change a role, or take access away: effective from the next request on."""
    return await accounts.change(actor, user_id, wanted)


@router.get(
    "/audit",
    response_model=AuditPage,
    **access(Access.ADMIN, scope=Scope.AUDIT_READ, errors=(404, 422), responses={200: _EXPORTS}),
)
async def read_audit(
    actor: ActorDep,
    audit: AuditDep,
    wanted: Annotated[AuditFilter, Query()],
    cursor: _Cursor | None = None,
    limit: _Limit = PAGE_SIZE,
    format: AuditFormat = "json",
) -> AuditPage | Response:
    """Audit events, newest first. An export has all of them and is an event itself."""
    if format == "json":
        return await audit.list_page(wanted, cursor=cursor, limit=limit)
    await audit.start_export(actor, wanted)
    rows = audit.export_csv(wanted) if format == "csv" else audit.export_ndjson(wanted)
    named = {"Content-Disposition": f'attachment; filename="audit.{format}"'}
    return StreamingResponse(rows, 200, named, _CSV if format == "csv" else _NDJSON)


def _show(request: Request, link: NewLink) -> PasswordLinkOut:
    return PasswordLinkOut(url=own_url(request, link.path), expires_at=link.expires_at)
