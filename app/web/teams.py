"""Teams: what they own, who belongs to them."""

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from pydantic import ValidationError

from app.exceptions import PortalError
from app.http.access import Access, ActorDep, access
from app.http.dependencies import CatalogueDep, TeamsDep
from app.models.entities import EntityQuery
from app.models.teams import MemberIn, TeamIn
from app.models.texts import TeamName
from app.web.forms import Form
from app.web.views import View, ViewDep

router = APIRouter(prefix="/teams", include_in_schema=False)


@router.get("", **access(Access.READ))
async def show_teams(view: ViewDep, teams: TeamsDep) -> HTMLResponse:
    """All teams."""
    return await _render_list(view, teams, Form())


@router.post("", **access(Access.ADMIN))
async def create_team(view: ViewDep, actor: ActorDep, teams: TeamsDep) -> Response:
    """Make a team without members."""
    form = await Form.read(view.request)
    values = {name: form.text(name) for name in ("name", "title", "description")}
    try:
        wanted = TeamIn.model_validate(values)
        await teams.create(actor, wanted)
    except (PortalError, ValidationError) as error:
        return await _render_list(view, teams, form.refused(error))
    return view.redirect(f"/teams/{wanted.name}", notice="team-created")


@router.get("/{name}", **access(Access.READ))
async def show_team(
    view: ViewDep, teams: TeamsDep, catalogue: CatalogueDep, name: TeamName
) -> HTMLResponse:
    """One team."""
    return await _render_team(view, teams, catalogue, name, Form())


@router.post("/{name}/members", **access(Access.MEMBER))
async def put_member(
    view: ViewDep, actor: ActorDep, teams: TeamsDep, catalogue: CatalogueDep, name: TeamName
) -> Response:
    """Take someone in, or give them another role."""
    form = await Form.read(view.request)
    try:
        wanted = MemberIn.model_validate({"role": form.text("role")})
        await teams.put_member(actor, name, form.text("email").lower(), wanted.role)
    except (PortalError, ValidationError) as error:
        return await _render_team(view, teams, catalogue, name, form.refused(error))
    return view.redirect(f"/teams/{name}", notice="team-changed")


@router.post("/{name}/members/remove", **access(Access.MEMBER))
async def remove_member(
    view: ViewDep, actor: ActorDep, teams: TeamsDep, catalogue: CatalogueDep, name: TeamName
) -> Response:
    """Take someone out."""
    form = await Form.read(view.request)
    try:
        await teams.remove_member(actor, name, form.text("email"))
    except PortalError as error:
        return await _render_team(view, teams, catalogue, name, Form().refused(error))
    return view.redirect(f"/teams/{name}", notice="team-changed")


@router.get("/{name}/delete", **access(Access.ADMIN))
async def show_delete(
    view: ViewDep, actor: ActorDep, teams: TeamsDep, name: TeamName
) -> HTMLResponse:
    """Ask first."""
    return await _render_delete(view, actor, teams, name, Form())


@router.post("/{name}/delete", **access(Access.ADMIN))
async def delete_team(view: ViewDep, actor: ActorDep, teams: TeamsDep, name: TeamName) -> Response:
    """Delete a team that owns nothing."""
    try:
        await teams.remove(actor, name)
    except PortalError as error:
        return await _render_delete(view, actor, teams, name, Form().refused(error))
    return view.redirect("/teams", notice="team-deleted")


async def _render_list(view: View, teams: TeamsDep, form: Form) -> HTMLResponse:
    return view.render(
        "teams/list.html",
        form=form,
        area="teams",
        teams=await teams.list_all(),
        my_teams=view.actor.teams if view.actor else {},
        may_create=view.is_admin,
    )


async def _render_team(
    view: View, teams: TeamsDep, catalogue: CatalogueDep, name: str, form: Form
) -> HTMLResponse:
    team = await teams.get(view.actor, name)
    owned = await catalogue.list_page(EntityQuery(owner=name))
    return view.render(
        "teams/team.html",
        form=form,
        area="teams",
        team=team,
        entities=owned.items,
        has_more=owned.next_cursor is not None,
        may_change=view.actor is not None and view.actor.may_manage(name),
        may_delete=view.is_admin,
    )


async def _render_delete(
    view: View, actor: ActorDep, teams: TeamsDep, name: str, form: Form
) -> HTMLResponse:
    team = await teams.get(actor, name)
    return view.render(
        "parts/confirm.html",
        form=form,
        area="teams",
        heading=f"Delete the team {team.title}?",
        text="Its members lose what they may do as such. A team that owns something stays.",
        button="Delete it",
        action=f"/teams/{name}/delete",
        back=f"/teams/{name}",
        fields={},
    )
