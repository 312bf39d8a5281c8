"""The docker provider served in this process, on a fake engine."""

from collections.abc import Iterator

import pytest

from plugins.docker.provider import Connection, Provider
from plugins.docker.servicer import DockerServicer
from tests.support.container_engine import ContainerEngine
from tests.support.provider_client import KeptLog, ProviderClient, served


@pytest.fixture
def engine() -> ContainerEngine:
    return ContainerEngine()


@pytest.fixture
def log() -> KeptLog:
    return KeptLog()


@pytest.fixture
def provider(engine: ContainerEngine, log: KeptLog) -> Provider:
    return Provider(log, connect=lambda settings: Connection(engine))


@pytest.fixture
def client(provider: Provider) -> Iterator[ProviderClient]:
    with served(DockerServicer(provider)) as client:
        yield client
