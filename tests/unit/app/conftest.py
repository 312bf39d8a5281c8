"""The application over fake stores: no PostgreSQL, no Redis."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.dialects.postgresql.psycopg import dialect

from app.composition import Stores
from app.config import Config, load_config
from app.exceptions import UnavailableError
from app.main import create_app
from app.models.entities import EntityOut
from app.revisions import code_revisions

ENVIRONMENT = {
    "APP_ENV": "development",
    "DATABASE_URL": "postgresql://devportal_user:pw@127.0.0.1:1/devportal",
    "MIGRATION_DATABASE_URL": "postgresql://devportal_migrator:pw@127.0.0.1:1/devportal",
    "REDIS_URL": "redis://devportal:pw@127.0.0.1:1/0",
    "SECRET_KEY": "s" * 32,
    "JWT_SECRET_KEY": "j" * 32,
    "ADMIN_PASSWORD": "a" * 12,
    "ALLOWED_ORIGINS": "http://localhost:3000, http://localhost:8080",
}


def entity(name: str) -> EntityOut:
    """The documentation's example by another name."""
    [example] = EntityOut.model_json_schema()["examples"]
    return EntityOut.model_validate({**example, "name": name})


class FakeDatabase:
    """Has no rows, or is away."""

    connections_in_use = 0
    pool_size = 5

    def __init__(self) -> None:
        self.away = False
        self.heads = set(code_revisions().heads)

    async def ping(self) -> None:
        async with self.connect():
            return

    async def migration_heads(self) -> set[str]:
        return self.heads

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[object]:
        if self.away:
            raise UnavailableError("the database does not answer")
        yield object()

    read = connect

    async def read_quickly(self, query: Callable[[object], Awaitable[Any]]) -> Any:
        async with self.connect() as connection:
            return await query(connection)

    async def close(self) -> None:
        return


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


class FakeRedis:
    """Has no keys, or is away."""

    def __init__(self) -> None:
        self.away = False

    @asynccontextmanager
    async def reach(self) -> AsyncIterator["FakeRedis"]:
        if self.away:
            raise UnavailableError("the session store does not answer")
        yield self

    def register_script(self, _script: str) -> None:
        """Limits and sessions are not used without credentials."""

    async def get(self, _key: str) -> None:
        return

    async def ping(self) -> None:
        if self.away:
            raise ConnectionError

    async def close(self) -> None:
        return


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on the loop that the portal's server has."""
    return "asyncio"


@pytest.fixture
def config(request: pytest.FixtureRequest) -> Config:
    """Development's, which everybody may read, or with other variables as its parameter."""
    more: dict[str, str] = getattr(request, "param", {})
    return load_config({**ENVIRONMENT, "ANONYMOUS_READS": "true", **more})


@pytest.fixture
def database() -> FakeDatabase:
    return FakeDatabase()


@pytest.fixture
def redis() -> FakeRedis:
    return FakeRedis()


@pytest.fixture
def application(
    config: Config, database: Any, redis: Any, monkeypatch: pytest.MonkeyPatch
) -> FastAPI:
    monkeypatch.setattr(Stores, "of", lambda _config, _metrics: Stores(database, redis))
    return create_app(config)


@pytest.fixture
def client(application: FastAPI) -> Iterator[TestClient]:
    with TestClient(application, "http://localhost", raise_server_exceptions=False) as client:
        yield client
