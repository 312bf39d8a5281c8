"""The application over fake stores: no PostgreSQL, no Redis."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.config import Config, load_config
from app.exceptions import UnavailableError
from app.main import create_app
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


class FakeDatabase:
    """Answers, or is away."""

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

    async def read_quickly(self, ask: Callable[[object], Awaitable[Any]]) -> Any:
        async with self.connect() as connection:
            return await ask(connection)


class FakeCache:
    """Remembers texts, or is away."""

    def __init__(self) -> None:
        self.away = False
        self.texts: dict[str, str] = {}

    async def ping(self) -> None:
        if self.away:
            raise ConnectionError

    async def put(self, key: str, value: str, *, seconds: int) -> None:
        assert seconds > 0
        if not self.away:
            self.texts[key] = value

    async def look_up(self, scope: str, key: str | None) -> tuple[str | None, str | None]:
        if self.away:
            return None, None
        return self.texts.setdefault(scope, "1"), self.texts.get(key or "")


@pytest.fixture
def config() -> Config:
    return load_config({**ENVIRONMENT, "ANONYMOUS_READS": "true"})


@pytest.fixture
def database() -> FakeDatabase:
    return FakeDatabase()


@pytest.fixture
def cache() -> FakeCache:
    return FakeCache()


@pytest.fixture
def application(config: Config) -> FastAPI:
    return create_app(config)


@pytest.fixture
def client(application: FastAPI, config: Config, database: Any, cache: Any) -> Iterator[TestClient]:
    """The application, its stores replaced once it has started."""
    from app.services.catalogue_services import start_catalogue
    from app.services.health import HealthService

    with TestClient(application, raise_server_exceptions=False) as client:
        application.state.health = HealthService(config, database, cache, code_revisions())
        start_catalogue(application.state, config, database, cache)
        yield client
