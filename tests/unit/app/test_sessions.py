"""A session outlives a store that goes away while its tokens are renewed."""

import asyncio
import uuid
from typing import Any

import pytest
from starlette.requests import Request

from app.config import Config
from app.exceptions import UnavailableError
from app.http.cookies import SessionCookies
from app.http.identities import Identities
from app.services.sessions import Sessions
from app.services.tokens import AccessTokens, RefreshTokens, Tokens
from app.storage.sessions import Session
from tests.unit.app.conftest import FakeDatabase

_SESSION = Session("one", uuid.uuid4(), 1, 0, 0, "", "")


class FakeStores:
    """Redis has the session and no account; it notes which refresh tokens are used up."""

    def __init__(self) -> None:
        self.used: list[str] = []

    async def charge_address(self, _what: str) -> None:
        return

    async def find(self, key: str | uuid.UUID) -> Session | None:
        return _SESSION if key == _SESSION.id else None

    async def rotate(self, _session_id: str, *, presented: str, **_: Any) -> str:
        self.used.append(presented)
        return "rotated"


def test_refresh_token_stays_good_while_the_account_cannot_be_read(config: Config) -> None:
    database, stores, made = FakeDatabase(), FakeStores(), RefreshTokens(config)
    anything: Any = stores
    never: Any = None
    tokens = AccessTokens(config)
    where: Any = database
    sessions = Sessions(where, anything, never, anything, tokens, made, anything)
    database.away = True
    with pytest.raises(UnavailableError):
        asyncio.run(sessions.refresh(made.make(_SESSION.id)))
    assert stores.used == []


class RenewedOnce:
    """Sessions of which one is renewed just before the store goes away."""

    async def refresh(self, _token: str, *, leeway_seconds: int) -> Tokens:
        return Tokens("one", "new access", f"new refresh {leeway_seconds}", 60)

    async def authenticate(self, _token: str) -> None:
        raise UnavailableError("the session store does not answer")


def test_browser_gets_its_new_tokens_also_with_an_error(config: Config) -> None:
    sessions: Any = RenewedOnce()
    none: Any = None
    cookies = SessionCookies(config)
    headers = [(b"cookie", f"{cookies.refresh}=old".encode())]
    more: list[tuple[bytes, bytes]] = []
    scope = {"type": "http", "method": "GET", "headers": headers}
    request = Request({**scope, "state": {"response_headers": more}})
    with pytest.raises(UnavailableError):
        asyncio.run(Identities(config, sessions, none, cookies).identify(request))
    assert [value.partition(b";")[0] for _, value in more] == [
        b'devportal-access="new access"',
        b'devportal-refresh="new refresh 10"',
    ]
