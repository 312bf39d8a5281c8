"""The portal with addresses beside it that take long, stream, or write: updates must not cut them.

Runs inside the portal's image, in place of `app.main:app`.
"""

import asyncio
from collections.abc import AsyncIterator

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from app.config import load_config
from app.main import create_app

_config = load_config()
_engine = create_async_engine(
    _config.async_database_url,
    pool_size=4,
    max_overflow=0,
    # A server whose machine has gone says nothing: its connections would hang for minutes.
    pool_pre_ping=True,
    connect_args={"tcp_user_timeout": 3000},
)
_insert = text("insert into probe_orders (identity) values (:identity)")


async def order(request: Request) -> Response:
    """Write a row for each time that this is run; nothing keeps an identity from coming twice."""
    async with _engine.begin() as connection:
        await connection.execute(_insert, {"identity": request.path_params["identity"]})
    return PlainTextResponse("ordered\n", 201)


async def ask(_request: Request) -> Response:
    """Ask the database, and wait for a free connection as long as it takes."""
    async with _engine.begin() as connection:
        return PlainTextResponse(f"{await connection.scalar(text('select 1'))}\n")


async def _tell_seconds(count: int, line: str) -> AsyncIterator[str]:
    for second in range(count):
        yield line.format(second)
        await asyncio.sleep(1)
    yield line.format("end")


async def slow(request: Request) -> Response:
    """One answer, at the end."""
    await asyncio.sleep(request.path_params["seconds"])
    return PlainTextResponse("end\n")


async def stream(request: Request) -> Response:
    """A line a second; compression would gather them, were nginx not told to pass each on."""
    lines = _tell_seconds(request.path_params["seconds"], "{}\n")
    return StreamingResponse(lines, media_type="text/plain", headers={"X-Accel-Buffering": "no"})


async def events(request: Request) -> Response:
    """A server-sent event a second."""
    lines = _tell_seconds(request.path_params["seconds"], "data: {}\n\n")
    return StreamingResponse(lines, media_type="text/event-stream")


async def echo(socket: WebSocket) -> None:
    """Say again what was said."""
    await socket.accept()
    async for message in socket.iter_text():
        await socket.send_text(message)


async def forwarded(request: Request) -> Response:
    """Every header as it arrived."""
    lines = [f"{name}: {value}" for name, value in request.headers.items()]
    return PlainTextResponse("\n".join(lines))


_portal = create_app(_config)
_probe = Starlette(
    routes=[
        Route("/probe/orders/{identity}", order, methods=["POST"]),
        Route("/probe/database", ask),
        Route("/probe/slow/{seconds:int}", slow),
        Route("/probe/stream/{seconds:int}", stream),
        Route("/probe/events/{seconds:int}", events),
        Route("/probe/forwarded", forwarded),
        WebSocketRoute("/probe/echo", echo),
    ]
)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """The portal, which also starts and ends, and the probe's own addresses."""
    is_probe = scope.get("path", "").startswith("/probe/")
    await (_probe if is_probe else _portal)(scope, receive, send)
