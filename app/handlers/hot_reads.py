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
from app.handlers.conditional import has_current
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
        try:
            given = dict(scope["headers"])
            snapshot = await _read(scope, given, EntityKey(*cast(_Key, found.groups())))
        except Exception as error:
            response = await answer_error(Request(scope), error)
            await response(scope, receive, send)
        else:
            await _send(send, given.get(b"if-none-match", b""), snapshot)


async def _read(scope: Scope, given: dict[bytes, bytes], key: EntityKey) -> Snapshot:
    request = Request(scope)
    nobody = _CREDENTIALS.isdisjoint(given)
    await _rule(request, None if nobody else await find_actor(request))
    catalogue: Catalogue = scope["app"].state.catalogue
    return await catalogue.read(key)


async def _send(send: Send, condition: bytes, snapshot: Snapshot) -> None:
    """What `conditional.answer` answers."""
    headers = [(b"etag", snapshot.etag.encode()), (b"cache-control", b"private, no-cache")]
    status, body = 304, b""
    if not has_current(condition.decode("latin-1"), snapshot.etag):
        status, body = 200, snapshot.body
        headers += [
            (b"content-length", str(len(body)).encode()),
            (b"content-type", b"application/json"),
        ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
