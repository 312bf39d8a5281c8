"""The read that everybody does most, past the framework's general way.

Matching some eighty routes one after another and solving what a handler asks for take longer than
a cached answer itself. This route is the same as `get_entity`, by the same rule; whatever is not
plainly a good key goes the general way, which says what is wrong with it.
"""

import re
from typing import NoReturn

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, NoMatchFound, Route
from starlette.types import Receive, Scope, Send

from app.access import Access, find_actor, guard
from app.access import Scope as KeyScope
from app.handlers.conditional import answer
from app.models.entities import EntityKey
from app.services.catalogue import Catalogue

_PATH = "/api/v1/entities/{kind}/{namespace}/{name}"
_KEY = re.compile(
    r"/api/v1/entities/(component|api|resource|system)"
    r"/(?=[^/]{1,63}/)([a-z0-9]+(?:-+[a-z0-9]+)*)"
    r"/([A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)"
)
_rule = guard(Access.READ, scope=KeyScope.CATALOGUE_READ)


async def _read_entity(request: Request) -> Response:
    await _rule(request, await find_actor(request))
    catalogue: Catalogue = request.app.state.catalogue
    return answer(request, await catalogue.read(EntityKey(*request.path_params["key"])))


class EntityReads(BaseRoute):
    """GET of one entity."""

    path = _PATH

    def __init__(self) -> None:
        self._app = Route(_PATH, _read_entity).app

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Only a good key, read; a HEAD or a strange one goes the general way."""
        if scope["type"] != "http" or scope["method"] != "GET":
            return Match.NONE, {}
        found = _KEY.fullmatch(scope["path"])
        if found is None or scope["root_path"]:
            return Match.NONE, {}
        return Match.FULL, {"path_params": {"key": found.groups()}, "route": self}

    def url_path_for(self, name: str, /, **path_params: object) -> NoReturn:
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
