"""The short way to an entity answers what the general way does."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI, Request
from starlette.types import Message, Scope

from app.handlers.conditional import answer
from app.handlers.hot_reads import HotReads
from app.services.cache import Snapshot

_SNAPSHOT = Snapshot(b'{"name":"\xc3\xa4"}', '"tag-1"')


class Catalogue:
    """Has one entity."""

    async def read(self, _key: object) -> Snapshot:
        return _SNAPSHOT


def scope_of(application: FastAPI, condition: bytes | None) -> Scope:
    application.state.catalogue = Catalogue()
    return {
        "type": "http",
        "method": "GET",
        "path": "/api/v1/entities/api/default/orders",
        "root_path": "",
        "headers": [(b"if-none-match", condition)] if condition else [],
        "query_string": b"",
        "app": application,
        "state": {"answer_headers": []},
    }


async def collect(handler: Any, scope: Scope) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await handler(scope, None, send)
    return sent


@pytest.mark.parametrize("condition", [None, b'"tag-1"', b'W/"tag-1", "other"', b"*", b'"other"'])
def test_short_way_answers_as_the_general_way(
    application: FastAPI, condition: bytes | None
) -> None:
    scope = scope_of(application, condition)
    short = asyncio.run(collect(HotReads(application), scope))
    general = asyncio.run(collect(answer(Request(scope), _SNAPSHOT), scope))
    assert dict(short[0]["headers"]) == dict(general[0]["headers"])
    assert short[0]["status"] == general[0]["status"]
    assert short[1]["body"] == general[1]["body"]
