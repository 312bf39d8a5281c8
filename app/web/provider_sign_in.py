"""Signing in at the OpenID Connect provider: the way there, and the way back."""

from fastapi import APIRouter, Response

from app.exceptions import PortalError
from app.http.access import Access, access
from app.http.dependencies import CookiesDep, ProviderSignInDep, own_url
from app.services.provider_sign_in import Answer
from app.web.forms import Form
from app.web.links import own_path
from app.web.sign_in import render_sign_in
from app.web.views import View, ViewDep

CALLBACK_PATH = "/sign-in/callback"
"""Where the provider sends browsers back to; it has to know the address."""
router = APIRouter(prefix="/sign-in", include_in_schema=False)


@router.get("/provider", **access(Access.PUBLIC))
async def start(
    view: ViewDep, provider: ProviderSignInDep, cookies: CookiesDep, next: str = ""
) -> Response:
    """Redirect to the provider; a link leads here, as no form may lead elsewhere."""
    if view.actor is not None:
        return view.redirect(own_path(next))
    try:
        url, state = await provider.start(_callback(view), own_path(next))
    except PortalError as error:
        return _refuse(view, error, next)
    response = view.redirect(url)
    cookies.keep_attempt(response, state)
    return response


@router.get("/callback", **access(Access.PUBLIC))
async def finish(
    view: ViewDep,
    provider: ProviderSignInDep,
    cookies: CookiesDep,
    state: str = "",
    code: str = "",
    error: str = "",
    iss: str = "",
) -> Response:
    """Begin a session by the provider's answer, and redirect to the page that needed it."""
    answer = Answer(state=state, code=code, error=error, issuer=iss)
    target = ""
    try:
        begun = view.request.cookies.get(cookies.attempt, "")
        attempt = await provider.take(answer, begun)
        target = attempt.target
        tokens = await provider.finish(attempt, answer, _callback(view), agent=view.agent)
    except PortalError as mistake:
        response = _refuse(view, mistake, target)
    else:
        response = view.redirect(own_path(target))
        cookies.attach(response, tokens)
    cookies.drop_attempt(response)
    return response


def _callback(view: View) -> str:
    return own_url(view.request, CALLBACK_PATH)


def _refuse(view: View, error: PortalError, target: str) -> Response:
    """The page to sign in, with what happened and the way to try again."""
    response = render_sign_in(view, Form().tell(error), target)
    response.headers.update(error.headers)
    return response
