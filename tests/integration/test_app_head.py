"""HEAD is GET without a body, on every route that can be read."""

from collections.abc import Iterator

import httpx
import pytest
from fastapi.routing import APIRoute

from app.main import ROUTERS
from tests.support.portal_client import log_in
from tests.support.portal_process import Environment, serve

ROUTES = (route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute))
READ = sorted({route.path for route in ROUTES if "GET" in (route.methods or ())})
EXAMPLES = {
    "kind": "api",
    "namespace": "default",
    "name": "checkout-api",
    "slug": "index",
    "version": "1",
    "operation": "none",
    "schema": "none",
    "session_id": "none",
    "user_id": "00000000-0000-4000-8000-000000000000",
    "key_id": "00000000-0000-4000-8000-000000000000",
}
OTHERS = ["/assets/portal.css", "/assets/swagger/swagger-ui.css", "/assets/none", "/none", "/teams"]
# What differs between any two responses.
OF_EACH = {"date", "x-request-id", "ratelimit"}
# Their length is that of figures which go on.
GROWING = {"/metrics", "/health"}


@pytest.fixture(scope="module")
def portal(environment: Environment) -> Iterator[httpx.Client]:
    with serve(environment) as (_, url), httpx.Client(base_url=url, timeout=30) as client:
        client.headers.update(log_in(client, "admin@example.com").headers)
        yield client


@pytest.mark.parametrize("path", [*READ, *OTHERS])
def test_head_is_get_without_the_body(portal: httpx.Client, path: str) -> None:
    skipped = OF_EACH | ({"content-length"} if path in GROWING else set())
    path = path.replace(":path}", "}").format(**EXAMPLES)
    read, head = (portal.request(method, path) for method in ("GET", "HEAD"))
    assert head.content == b""
    found = [
        (answer.status_code, {k: v for k, v in answer.headers.items() if k not in skipped})
        for answer in (head, read)
    ]
    assert found[0] == found[1]
    assert read.status_code != 405
