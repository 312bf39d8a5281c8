"""What is written of an account that was changed while a request of its owner's was at work."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy.dialects.postgresql.psycopg import dialect

from app.services import password_sign_in as module
from app.services.password_sign_in import PasswordSignIn
from app.services.tokens import Tokens
from app.storage.accounts import Account

_ACCOUNT = Account(uuid.uuid4(), "ada@example.com", "", "old hash", "member", True, False, 1, {})


class Recorded:
    """A database that notes the statements which it is to execute, with their values."""

    def __init__(self) -> None:
        self.statements: list[tuple[str, dict[str, Any]]] = []

    @asynccontextmanager
    async def connect(self) -> AsyncIterator["Recorded"]:
        yield self

    async def execute(self, statement: Any, _values: object = None) -> None:
        compiled = statement.compile(dialect=dialect())
        self.statements.append((" ".join(str(compiled).split()), compiled.params))

    scalar = execute


class FakePasswords:
    """Every password fits, and its hash is one of older parameters."""

    async def matches(self, _password: str, _stored: str | None) -> bool:
        return True

    def is_outdated(self, _stored: str) -> bool:
        return True

    async def hash(self, _password: str) -> str:
        return "new hash"


class FakeSessions:
    async def charge_login(self, _email: str) -> None:
        return

    async def open(self, _account: Account, *, agent: str) -> Tokens:
        return Tokens("one", "access", agent, 60)


def test_hash_is_renewed_unless_the_password_was_changed_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def find(_connection: object, _email: str) -> Account:
        return _ACCOUNT

    monkeypatch.setattr(module, "find_account_by_email", find)
    database: Any = Recorded()
    passwords: Any = FakePasswords()
    sessions: Any = FakeSessions()
    sign_in = PasswordSignIn(database, passwords, sessions, sessions)
    asyncio.run(sign_in.log_in(_ACCOUNT.email, "orbit-lantern-mosaic", agent=""))
    statement, values = database.statements[0]
    assert statement.startswith("UPDATE user_account SET password_hash=")
    assert "AND user_account.password_hash = " in statement
    assert sorted(map(str, values.values())) == sorted([str(_ACCOUNT.id), "new hash", "old hash"])
