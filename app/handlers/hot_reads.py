"""The read that everybody does most, past the framework's general way.

Matching some eighty routes one after another and solving what a handler asks for take longer than
a cached answer itself. This is the same as `get_entity`, by the same rule; whatever is not
plainly a good key goes the general way, which says what is wrong with it.
"""

import re
from typing import cast

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access import Access, find_actor, guard
from app.access import Scope as KeyScope
from app.handlers.conditional import answer
from app.models.entities import EntityKey
from app.models.texts import Kind
from app.problems import answer_error
from app.services.cache import Snapshot
from app.services.catalogue import Catalogue

_KEY = re.compile(
    r"/api/v1/entities/(component|api|resource|system)"
    r"/(?=[^/]{1,63}/)([a-z0-9]+(?:-+[a-z0-9]+)*)"
    r"/([A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)"
)
_Key = tuple[Kind, str, str]
_CREDENTIALS = {b"authorization", b"cookie"}
_rule = guard(Access.READ, scope=KeyScope.CATALOGUE_READ)


class HotReads:
    """Answers GET of one entity; a HEAD or a strange key goes on."""

    path = "/api/v1/entities/{kind}/{namespace}/{name}"
    """As the figures name the route."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or scope["root_path"]:
            await self._app(scope, receive, send)
            return
        found = _KEY.fullmatch(scope["path"])
        if found is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = self
        request = Request(scope)
        try:
            snapshot = await _read(request, EntityKey(*cast(_Key, found.groups())))
            response = answer(request, snapshot)
        except Exception as error:
            response = await answer_error(request, error)
        await response(scope, receive, send)


async def _read(request: Request, key: EntityKey) -> Snapshot:
    nobody = _CREDENTIALS.isdisjoint(name for name, _ in request.scope["headers"])
    await _rule(request, None if nobody else await find_actor(request))
    catalogue: Catalogue = request.app.state.catalogue
    return await catalogue.read(key)
