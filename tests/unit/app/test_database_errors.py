"""What a client learns when a statement fails: the reason, and whether to try again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest
from prometheus_client import CollectorRegistry, Counter
from psycopg import errors
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError, ProgrammingError

from app.config import Config
from app.exceptions import PortalError
from app.storage.database import Database

_AWAY = (503, "the database does not answer")
_NOT_NOW = (503, "the database cannot do this now")
_UNSTORABLE = (
    422,
    "the request should have values that the database can hold: no NUL, no number out of range",
)


@asynccontextmanager
async def _opening() -> AsyncIterator[object]:
    yield object()


class _Engine:
    """Opens transactions."""

    begin = staticmethod(_opening)


@pytest.fixture
def database(config: Config, monkeypatch: pytest.MonkeyPatch) -> Database:
    found = Database(config, Counter("errors", "Errors.", registry=CollectorRegistry()))
    monkeypatch.setattr(found, "_transactions", _Engine())
    return found


def _failure(kind: type[DBAPIError], cause: psycopg.Error) -> DBAPIError:
    return kind("SELECT 1", {}, cause)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (TimeoutError(), _AWAY),
        (_failure(OperationalError, psycopg.OperationalError("the connection is lost")), _AWAY),
        (_failure(OperationalError, errors.AdminShutdown()), _AWAY),
        (_failure(OperationalError, errors.QueryCanceled()), _NOT_NOW),
        (_failure(OperationalError, errors.DeadlockDetected()), _NOT_NOW),
        (_failure(OperationalError, errors.DiskFull()), _NOT_NOW),
        (
            _failure(OperationalError, errors.StatementTooComplex()),
            (413, "the request should need less of the database. Send less at once"),
        ),
        (_failure(DataError, psycopg.DataError("NUL (0x00) bytes")), _UNSTORABLE),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), _UNSTORABLE),
        (
            _failure(IntegrityError, errors.ForeignKeyViolation()),
            (409, "it was changed meanwhile. Read it again, and repeat the change"),
        ),
    ],
    ids=range(10),
)
async def test_only_a_lost_connection_is_a_database_that_does_not_answer(
    database: Database, error: Exception, told: tuple[int, str]
) -> None:
    with pytest.raises(PortalError) as caught:
        async with database.connect():
            raise error
    assert (caught.value.status, caught.value.detail) == told


@pytest.mark.parametrize(
    "mistake",
    [
        _failure(ProgrammingError, errors.UndefinedTable()),
        _failure(IntegrityError, errors.NotNullViolation()),
    ],
    ids=["statement", "rule of a table"],
)
async def test_mistake_of_the_portal_stays_one(database: Database, mistake: DBAPIError) -> None:
    """No client can change it: it is logged with its traceback, and 500."""
    with pytest.raises(DBAPIError) as caught:
        async with database.connect():
            raise mistake
    assert caught.value is mistake
