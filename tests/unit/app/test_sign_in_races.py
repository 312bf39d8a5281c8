"""What is written of an account that was changed while a request of its owner's was at work."""

import asyncio
import uuid
from typing import Any

import pytest

from app.config import Config
from app.exceptions import NotSignedInError
from app.models.access import Scope
from app.models.api_keys import ApiKeyIn
from app.services import accounts, password_sign_in
from app.services.accounts import Accounts
from app.services.api_keys import ApiKeys
from app.services.password_sign_in import PasswordSignIn
from app.services.sessions import actor_of
from app.services.tokens import Tokens
from app.storage.accounts import Account
from tests.unit.app.conftest import Recorded

_ACCOUNT = Account(uuid.uuid4(), "ada@example.com", "", "old hash", "member", True, False, 1, {})


class FakePasswords:
    """Every password fits, and its hash is one of older parameters."""

    async def matches(self, _password: str, _stored: str | None) -> bool:
        return True

    def is_outdated(self, _stored: str) -> bool:
        return True

    async def hash(self, _password: str) -> str:
        return "new hash"


class FakeSessions:
    """Sessions, limits and the cache of accounts."""

    async def announce_change(self, _user_id: uuid.UUID) -> None:
        return

    async def charge_login(self, _email: str) -> None:
        return

    async def open(self, _account: Account, *, agent: str) -> Tokens:
        return Tokens("one", "access", agent, 60)


async def find_account(_connection: object, _key: object) -> Account:
    return _ACCOUNT


def test_hash_is_renewed_unless_the_password_was_changed_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(password_sign_in, "find_account_by_email", find_account)
    database: Any = Recorded()
    passwords: Any = FakePasswords()
    sessions: Any = FakeSessions()
    sign_in = PasswordSignIn(database, passwords, sessions, sessions)
    asyncio.run(sign_in.log_in(_ACCOUNT.email, "orbit-lantern-mosaic", agent=""))
    statement, values = database.statements[0]
    assert statement.startswith("UPDATE user_account SET password_hash=")
    assert "AND user_account.password_hash = " in statement
    assert sorted(map(str, values.values())) == sorted([str(_ACCOUNT.id), "new hash", "old hash"])


@pytest.mark.parametrize("what", ["key", "password"])
def test_nothing_that_outlives_a_session_is_made_after_it_was_ended(
    what: str, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "require_account", find_account)
    database: Any = Recorded()
    passwords: Any = FakePasswords()
    rest: Any = FakeSessions()
    actor = actor_of(_ACCOUNT, "one")

    async def make() -> None:
        if what == "key":
            wanted = ApiKeyIn(name="CI", scopes={Scope.CATALOGUE_READ})
            await ApiKeys(database, rest).create(actor, wanted)
        else:
            own = Accounts(config, database, rest, rest, passwords, rest, rest)
            new = "velvet-harbour-thimble"
            await own.change_password(actor, current="orbit-lantern-mosaic", new=new, agent="")

    with pytest.raises(NotSignedInError):
        asyncio.run(make())
    # The lock lets what ends sessions come before or after, and its own row alone is waited for.
    [(statement, values)] = database.statements
    assert statement.startswith("SELECT user_account.id FROM user_account WHERE ")
    assert statement.endswith("FOR NO KEY UPDATE")
    assert sorted(map(str, values.values())) == sorted([str(_ACCOUNT.id), "1"])
