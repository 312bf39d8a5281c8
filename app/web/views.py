"""How a page is made: templates, and the values that all of them share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.config import Config
from app.definitions.kinds import KIND_NAMES
from app.http.access import MaybeActorDep
from app.http.cookies import csrf_token
from app.http.dependencies import services_of
from app.lines import counted
from app.models.access import Actor
from app.web import links, wording
from app.web.assets import asset_url
from app.web.forms import Form
from app.web.notices import NOTICE_COOKIE, NOTICES
from app.yaml_text import dump_document

_TEMPLATES = Path(__file__).parent.parent / "templates"
_NO_STORE = {"Cache-Control": "no-store"}


def _environment() -> Environment:
    found = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(
        yaml=dump_document,
        browser=wording.browser_name,
        hit_path=links.hit_path,
        ago=wording.ago,
        exactly=wording.exactly,
        counted=counted,
        is_web_url=links.is_web_url,
    )
    found.globals.update(
        asset=asset_url,
        entity_path=links.entity_path,
        with_query=links.with_query,
        kind_names=wording.KIND_NAMES,
        kind_plurals=wording.KIND_PLURALS,
        api_kind_names=KIND_NAMES,
        api_words=wording.API_WORDS,
        password_rule=wording.PASSWORD_RULE,
        role_names=wording.ROLE_NAMES,
        relation_names=wording.RELATION_NAMES,
    )
    return found


_environment_of_pages = _environment()


@dataclass(frozen=True)
class View:
    """One request for a page: the actor, and the response."""

    request: Request
    actor: Actor | None

    @property
    def may_write(self) -> bool:
        """Whether the user may add to the catalogue."""
        return self.actor is not None and self.actor.role != "viewer"

    @property
    def is_admin(self) -> bool:
        return self.actor is not None and self.actor.role == "admin"

    @property
    def agent(self) -> str:
        """The browser's User-Agent."""
        return self.request.headers.get("user-agent", "")

    def render(
        self, template: str, *, form: Form | None = None, status: int = 200, **context: Any
    ) -> HTMLResponse:
        """A page, which caches must not store.

        Parameters
        ----------
        form
            The page's form; one that was refused decides on the status.
        """
        context["form"] = form or Form()
        html = _environment_of_pages.get_template(template).render(self._shared() | context)
        response = HTMLResponse(html, form.status if form else status, _NO_STORE)
        if NOTICE_COOKIE in self.request.cookies:
            response.delete_cookie(NOTICE_COOKIE)
        return response

    def redirect(self, path: str, *, notice: str = "") -> RedirectResponse:
        """Redirect to another page of the portal, which shows the notice of that name once."""
        response = RedirectResponse(path, 303, _NO_STORE)
        if notice:
            response.set_cookie(
                NOTICE_COOKIE,
                notice,
                max_age=30,
                httponly=True,
                samesite="lax",
                secure=self.request.url.scheme == "https",
            )
        return response

    def _shared(self) -> dict[str, Any]:
        config = services_of(self.request).config
        return {
            "portal_version": config.app_version if self._is_inside(config) else "",
            "actor": self.actor,
            "may_read": self.actor is not None or config.anonymous_reads,
            "registration_open": config.registration_open and config.password_login_enabled,
            "password_login": config.password_login_enabled,
            "provider_name": config.oidc_name if config.oidc_issuer else "",
            "path": self.request.url.path,
            "area": "",
            "question": "",
            "notice": NOTICES.get(self.request.cookies.get(NOTICE_COOKIE, "")),
            "csrf_token": self._csrf_token,
        }

    def _is_inside(self, config: Config) -> bool:
        return self.actor is not None or not config.is_production

    def _csrf_token(self) -> str:
        """What forms carry; before there is a session, their origin is checked instead."""
        if self.actor is None or self.actor.session_id is None:
            return ""
        return csrf_token(services_of(self.request).config, self.actor.session_id)


async def _view(request: Request, actor: MaybeActorDep) -> View:
    return View(request, actor)


ViewDep = Annotated[View, Depends(_view)]
