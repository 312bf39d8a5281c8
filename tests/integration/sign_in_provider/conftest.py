"""A provider, and a portal whose people sign in there."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from tests.support.portal_client import as_browser, run_replica
from tests.support.portal_process import Environment
from tests.support.sign_in_provider import ROLES, SignInProvider, run_provider


@pytest.fixture(scope="module")
def provider() -> Iterator[SignInProvider]:
    with run_provider() as found:
        yield found


@pytest.fixture(scope="module")
def replica(environment: Environment, provider: SignInProvider) -> Iterator[TestClient]:
    with run_replica(environment, **provider.settings(OIDC_ROLES=ROLES)) as client:
        yield client


@pytest.fixture
def portal(replica: TestClient, provider: SignInProvider) -> Iterator[TestClient]:
    replica.cookies.clear()
    yield as_browser(replica)
    provider.forge = None
