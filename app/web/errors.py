"""Errors as pages for browsers; programs get the problem itself."""

import json
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.access import CHANGE_FIRST, find_known_actor
from app.http.responses import PROBLEM_TYPE
from app.web.links import with_query
from app.web.views import View

_KEPT = ("retry-after", "allow", "www-authenticate")
_ADVICE = {
    403: "Ask an administrator, or an owner of the team, if you need this.",
    404: "It may have been deleted or renamed. The search may find it.",
    405: "This address accepts other requests.",
    429: "Wait a moment, then try again.",
    503: "This usually passes within seconds. Try again in a moment.",
}


class ErrorPages:
    """Turns problems into pages on their way to a browser."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _wants_page(scope):
            await self._app(scope, receive, send)
            return
        held: list[Message] = []

        async def hold_problem(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_problem(message):
                held.append(message)
            elif not held:
                await send(message)
            else:
                held.append(message)
                if not message.get("more_body"):
                    response = await _page(Request(scope), held)
                    await response(scope, receive, send)

        await self._app(scope, receive, hold_problem)


def _wants_page(scope: Scope) -> bool:
    accept = Headers(scope=scope).get("accept", "")
    return "text/html" in accept and not scope["path"].startswith("/api/")


def _is_problem(start: Message) -> bool:
    return MutableHeaders(raw=list(start["headers"])).get("content-type", "") == PROBLEM_TYPE


async def _page(request: Request, held: list[Message]) -> Response:
    problem = json.loads(b"".join(message.get("body", b"") for message in held[1:]))
    if problem["status"] == 401 and request.method in ("GET", "HEAD"):
        return _lead_to_sign_in(request)
    actor = await find_known_actor(request)
    if problem["status"] == 403 and problem["detail"] == CHANGE_FIRST and actor is not None:
        return View(request, actor).redirect("/account/password")
    response = _render(View(request, actor), problem)
    for name, value in MutableHeaders(raw=list(held[0]["headers"])).items():
        if name in _KEPT or name.startswith("ratelimit"):
            response.headers[name] = value
    return response


def _lead_to_sign_in(request: Request) -> Response:
    asked = with_query(request.url.path, dict(request.query_params))
    target = "" if asked == "/" else asked
    response = RedirectResponse(with_query("/sign-in", {"next": target}), 303)
    response.headers["Cache-Control"] = "no-store"
    return response


def _render(view: View, problem: dict[str, Any]) -> HTMLResponse:
    status: int = problem["status"]
    detail: str = problem["detail"]
    return view.render(
        "error.html",
        status=status,
        code=status,
        heading=problem["title"],
        detail=detail[:1].upper() + detail[1:],
        advice=_ADVICE.get(status, ""),
        request_id=problem["request_id"],
    )
