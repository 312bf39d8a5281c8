"""Signing in and out, and new accounts."""

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from pydantic import ValidationError

from app.exceptions import NotFoundError, PortalError
from app.http.access import Access, ActorDep, access
from app.http.cookies import check_origin
from app.http.dependencies import (
    AccountsDep,
    ConfigDep,
    CookiesDep,
    PasswordLinksDep,
    PasswordSignInDep,
    ProviderSignInDep,
    SessionsDep,
    own_url,
)
from app.models.accounts import PasswordByLinkIn
from app.models.sessions import LoginIn, RegisterIn
from app.services.password_links import PASSWORD_LINK_PATH
from app.web.forms import Form
from app.web.links import own_path
from app.web.views import View, ViewDep

router = APIRouter(include_in_schema=False)


@router.get("/sign-in", **access(Access.PUBLIC))
async def show_sign_in(view: ViewDep, next: str = "") -> Response:
    """The form; signed-in users are redirected."""
    if view.actor is not None:
        return view.redirect(own_path(next))
    return render_sign_in(view, Form(), next)


@router.post("/sign-in", **access(Access.PUBLIC, needs_password_login=True))
async def sign_in(view: ViewDep, passwords: PasswordSignInDep, cookies: CookiesDep) -> Response:
    """Begin a session and redirect to the page that needed it."""
    check_origin(view.request)
    form = await Form.read(view.request)
    try:
        given = LoginIn(email=form.text("email"), password=form.secret("password"))
        password = given.password.get_secret_value()
        tokens = await passwords.log_in(given.email, password, agent=view.agent)
    except (PortalError, ValidationError) as error:
        return render_sign_in(view, form.refused(error), form.values["next"])
    response = view.redirect(own_path(form.values["next"]))
    cookies.attach(response, tokens)
    return response


@router.post("/sign-out", **access(Access.SIGNED_IN, with_first_password=True))
async def sign_out(
    view: ViewDep,
    actor: ActorDep,
    sessions: SessionsDep,
    cookies: CookiesDep,
    provider: ProviderSignInDep,
) -> Response:
    """End this session, and the one at the provider that it began with."""
    assert actor.session_id is not None
    elsewhere = await provider.sign_out_url(actor, own_url(view.request, "/sign-in"))
    await sessions.revoke(actor, actor.session_id)
    if elsewhere is None:
        response = view.redirect("/sign-in", notice="signed-out")
    else:
        # The policy of the pages lets no form lead elsewhere; this page goes there by itself.
        response = View(view.request, None).render("account/signed_out.html", url=elsewhere)
    cookies.clear(response)
    return response


@router.get("/register", **access(Access.PUBLIC, needs_password_login=True))
async def show_register(view: ViewDep, config: ConfigDep) -> HTMLResponse:
    """The form, if registration is open."""
    if not config.registration_open:
        raise NotFoundError("accounts are created by an administrator")
    return view.render("account/register.html")


@router.post("/register", **access(Access.PUBLIC, needs_password_login=True))
async def register(view: ViewDep, accounts: AccountsDep) -> Response:
    """Create an account; the user signs in afterwards."""
    check_origin(view.request)
    form = await Form.read(view.request)
    try:
        wanted = RegisterIn(
            email=form.text("email"), name=form.text("name"), password=form.secret("password")
        )
        password = wanted.password.get_secret_value()
        await accounts.register(email=wanted.email, name=wanted.name, password=password)
    except (PortalError, ValidationError) as error:
        return view.render("account/register.html", form=form.refused(error))
    return view.redirect("/sign-in", notice="registered")


@router.get(PASSWORD_LINK_PATH, **access(Access.PUBLIC, needs_password_login=True))
async def show_password_link(
    view: ViewDep, links: PasswordLinksDep, token: str = ""
) -> HTMLResponse:
    """The form for the password of a link's account."""
    return _render_password_link(view, Form(), token, await links.find(token))


@router.post(PASSWORD_LINK_PATH, **access(Access.PUBLIC, needs_password_login=True))
async def use_password_link(view: ViewDep, links: PasswordLinksDep) -> Response:
    """Set it; the user signs in afterwards."""
    check_origin(view.request)
    form = await Form.read(view.request)
    token = form.values["token"]
    try:
        given = PasswordByLinkIn(
            token=form.secret("token"), new_password=form.secret("new_password")
        )
        await links.use(token, given.new_password.get_secret_value())
    except (PortalError, ValidationError) as error:
        return _render_password_link(view, form.refused(error), token, form.text("email"))
    return view.redirect("/sign-in", notice="password-chosen")


def render_sign_in(view: View, form: Form, target: str) -> HTMLResponse:
    return view.render("account/sign_in.html", form=form, next=own_path(target, default=""))


def _render_password_link(view: View, form: Form, token: str, email: str) -> HTMLResponse:
    return view.render("account/password_link.html", form=form, token=token, email=email)
