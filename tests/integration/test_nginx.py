"""Production as its clients meet it: TLS, redirects, headers, limits and error pages."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from docker.models.containers import Container

from benchmarks.harness.portal_stack import PortalStack
from benchmarks.harness.production import (
    DOMAIN,
    SECURITY_HEADERS,
    plain_client,
    portal_client,
)
from tests.support.http3 import get_over_http3
from tests.support.long_requests import count_refused, slow_uploads
from tests.support.waiting import wait_for

pytestmark = pytest.mark.alone

Settings = dict[str, Any]
HSTS = "max-age=63072000; includeSubDomains"


@pytest.fixture(scope="module")
def client(production_stack: PortalStack) -> Iterator[httpx.Client]:
    with portal_client(production_stack) as opened:
        yield opened


@pytest.fixture(scope="module")
def given(production_stack: PortalStack) -> Iterator[Settings]:
    """Groups of settings as they were before the first test that changes one, and are after all."""
    before = {group: production_stack.settings[group] for group in ("app", "nginx")}
    yield before
    production_stack.configure(**before)
    production_stack.up()


def app_line(stack: PortalStack, identity: str) -> dict[str, str]:
    """The line of whichever replica answered."""
    return wait_for(
        lambda: next(
            (found for c in stack.containers("app") if (found := log_line(c.logs(), identity))),
            None,
        )
    )


def access_line(stack: PortalStack, identity: str) -> dict[str, str]:
    return wait_for(lambda: log_line(stack.container("nginx").logs(), identity))


def log_line(log: bytes, identity: str) -> dict[str, str] | None:
    lines = [line for line in log.decode().splitlines() if identity in line]
    return json.loads(lines[-1]) if lines else None


def headers_of(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name in SECURITY_HEADERS}


@pytest.mark.parametrize("path", ["/", "/health", "/livez", "/api/v1/entities"])
def test_every_page_answers_over_tls_by_the_exported_authority(
    client: httpx.Client, path: str
) -> None:
    assert [client.request(method, path).status_code for method in ("GET", "HEAD")] == [200, 200]


@pytest.mark.parametrize("name", ["http", "https"])
def test_pages_over_plain_http_are_led_to_https_from_either_port(
    production_stack: PortalStack, name: str
) -> None:
    ports = production_stack.settings["ports"]
    answer = httpx.get(f"http://127.0.0.1:{ports[name]}/docs?page=2", headers={"Host": DOMAIN})
    assert answer.status_code == 301
    assert answer.headers["location"] == f"https://{DOMAIN}:{ports['https']}/docs?page=2"
    assert headers_of(answer) == SECURITY_HEADERS


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/v1/entities"), ("POST", "/login")])
def test_api_calls_over_plain_http_are_refused(
    production_stack: PortalStack, method: str, path: str
) -> None:
    with plain_client(production_stack) as plain:
        answer = plain.request(method, path)
    assert answer.status_code == 403
    assert "location" not in answer.headers


def test_another_host_is_not_answered_for(client: httpx.Client) -> None:
    port = client.base_url.port
    client.event_hooks, kept = {"request": []}, client.event_hooks
    try:
        answer = client.get("/", headers={"Host": f"other.example:{port}"})
    finally:
        client.event_hooks = kept
    assert answer.status_code == 421


@pytest.mark.parametrize(
    ("status", "method", "path", "sent"),
    [
        (200, "GET", "/", {}),
        (200, "GET", "/assets/portal.css", {}),
        (404, "GET", "/api/v1/entities/component/default/none", {}),
        (404, "GET", "/metrics", {}),
        (404, "GET", "/readyz", {}),
        (404, "GET", "/startupz", {}),
        (413, "POST", "/api/v1/entities", {"content": b"x" * (13 << 20)}),
        (431, "GET", "/", {"headers": {"X-Large": "x" * 40_000}}),
    ],
)
def test_security_headers_are_on_every_answer(
    client: httpx.Client, status: int, method: str, path: str, sent: dict[str, Any]
) -> None:
    answer = client.request(method, path, **sent)
    assert answer.status_code == status
    assert headers_of(answer) == SECURITY_HEADERS
    assert answer.headers["strict-transport-security"] == HSTS


def test_refusals_of_the_api_are_problems_and_those_of_pages_are_pages(
    client: httpx.Client, production_stack: PortalStack
) -> None:
    large = b"x" * (13 << 20)
    problem = client.post("/api/v1/entities", content=large)
    line = access_line(production_stack, problem.headers["x-request-id"])
    assert (line["method"], line["path"], line["status"]) == ("POST", "/api/v1/entities", 413)
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json() == {
        "type": "about:blank",
        "title": "Request Entity Too Large",
        "status": 413,
        "detail": "The request is larger than the portal accepts.",
    }
    page = client.post("/", content=large)
    assert page.headers["content-type"] == "text/html"
    assert "<h1>Request Entity Too Large</h1>" in page.text


def test_static_files_are_served_by_nginx_and_cached(
    client: httpx.Client, production_stack: PortalStack
) -> None:
    answer = client.get("/assets/portal.css")
    assert answer.headers["cache-control"] == "max-age=3600"
    again = client.get("/assets/portal.css", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    line = access_line(production_stack, answer.headers["x-request-id"])
    assert line["upstream"] == ""


def test_portal_of_an_image_from_elsewhere_serves_its_own_static_files(
    client: httpx.Client, production_stack: PortalStack, given: Settings
) -> None:
    """Nginx's volume still has those of the version before."""
    image = production_stack.image_id("app")
    production_stack.configure(**given | {"app": {**given["app"], "image": image}})
    production_stack.up()
    answer = client.get("/assets/portal.css")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "max-age=3600")
    assert access_line(production_stack, answer.headers["x-request-id"])["upstream"] != ""
    # While replicas are replaced, one of another version than the page may be asked.
    assert client.get("/assets/portal.css?v=0").headers["cache-control"] == "no-store"


def test_paused_nginx_goes_on_with_the_new_replicas(
    client: httpx.Client, production_stack: PortalStack, given: Settings
) -> None:
    """It still has the old ones in memory, which the same update takes away."""
    nginx, before = production_stack.container("nginx"), replicas_of(production_stack)
    nginx.pause()
    production_stack.configure(**given | {"app": {**given["app"], "environment": {"ROUND": "2"}}})
    production_stack.up()
    assert {client.get("/livez").status_code for _ in range(20)} == {200}
    assert before.isdisjoint(replicas_of(production_stack))
    assert production_stack.container("nginx").id == nginx.id


def replicas_of(stack: PortalStack) -> set[str]:
    return {str(container.id) for container in stack.containers("app")}


def test_slow_uploads_of_one_address_leave_room_for_others(
    client: httpx.Client, production_stack: PortalStack
) -> None:
    nginx = production_stack.container("nginx")
    post = ["curl", "-sko", "/dev/null", "-w", "%{http_code}", "--data-binary", "@/usr/bin/curl"]
    with slow_uploads(production_stack, 9) as uploads:
        refused = [0]
        wait_for(lambda: refused.append(count_refused(uploads)) or sum(refused) >= 5)
        more = client.post("/api/v1/entities", content=bytes(1 << 20))
        assert (more.status_code, more.headers["retry-after"]) == (429, "1")
        chunked = client.request("GET", "/livez", content=iter([bytes(1 << 15)]))
        assert chunked.status_code == 429
        assert client.get("/livez").status_code == 200
        assert client.post("/api/v1/entities", content=b"{}").status_code == 401
        other = nginx.exec_run([*post, "https://127.0.0.1:8443/api/v1/entities"])
        assert other.output == b"401"
        assert sum(refused) + count_refused(uploads) == 5
    wait_for(lambda: client.post("/api/v1/entities", content=bytes(1 << 20)).status_code == 401)


def test_upload_without_room_is_503_and_a_time_to_retry(
    client: httpx.Client, production_stack: PortalStack
) -> None:
    production_stack.container("nginx").exec_run(["sh", "-c", "cat /dev/zero > /tmp/full"])
    answer = client.post("/api/v1/entities", content=bytes(1 << 20))
    page = client.get("/livez")
    production_stack.run_in("nginx", "rm", "/tmp/full")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["title"] == "Service Unavailable"
    assert page.status_code == 200


def test_text_is_sent_compressed(client: httpx.Client) -> None:
    answer = client.get("/", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert "</html>" in answer.text


def test_request_id_is_nginxs_own_and_reaches_the_portals_log(
    client: httpx.Client, production_stack: PortalStack
) -> None:
    forged = {"X-Request-ID": "forged", "X-Forwarded-For": "203.0.113.9", "X-Real-IP": "1.1.1.1"}
    identity = client.get("/api/v1/entities", headers=forged).headers["x-request-id"]
    assert identity != "forged"
    line = app_line(production_stack, identity)
    access = access_line(production_stack, identity)
    assert (line["path"], line["client"]) == ("/api/v1/entities", access["client"])
    assert access["client"] != "203.0.113.9"


def test_stores_are_out_of_nginxs_reach(production_stack: PortalStack) -> None:
    nginx = production_stack.container("nginx")
    for store, port in (("postgres", 5432), ("redis", 6379)):
        command = ["curl", "--max-time", "5", "-s", f"telnet://{store}:{port}"]
        code, _ = nginx.exec_run(command)
        # 6: the name is not known there.
        assert code == 6, store


def test_replica_that_is_killed_comes_back_with_nobody_noticing_but_its_own_requests(
    client: httpx.Client, production_stack: PortalStack
) -> None:
    replicas = production_stack.containers("app")
    for replica in replicas:
        replica.stop(timeout=5)
    try:
        away = client.get("/")
    finally:
        for replica in replicas:
            replica.start()
    # Until Nginx has asked for their addresses again, it waits for what no longer answers.
    assert away.status_code in {502, 504}
    assert away.headers["retry-after"] == "5"
    assert headers_of(away) == SECURITY_HEADERS
    wait_for(lambda: client.get("/").status_code == 200)


@contextmanager
def off_network(stack: PortalStack, replica: Container) -> Iterator[None]:
    """Nobody reaches it or finds its name meanwhile."""
    name = f"devportal-{stack.name}-app-network"
    aliases = replica.attrs["NetworkSettings"]["Networks"][name]["Aliases"]
    network = stack.client.networks.get(name)
    network.disconnect(replica)
    try:
        yield
    finally:
        network.connect(replica, aliases=[one for one in aliases if one != replica.short_id])


def statuses_without_replica(stack: PortalStack) -> list[str]:
    """What each of many requests got from replicas one of which has just gone."""
    # Its workers have no connection to a replica afterwards, so all are attempts at new ones.
    stack.run_in("nginx", "reload-nginx", "0")
    methods = ["GET", "POST"] * 20
    count = len(methods)
    with (
        portal_client(stack, kept_connections=count) as client,
        ThreadPoolExecutor(count) as threads,
    ):
        # Nginx answers these itself. Over new connections the requests would come too late.
        list(threads.map(client.get, ["/assets/portal.css"] * count))
        with off_network(stack, stack.containers("app")[0]):
            answers = list(threads.map(lambda method: client.request(method, "/livez"), methods))
    assert [answer.status_code for answer in answers] == [200, 405] * 20
    return [
        access_line(stack, answer.headers["x-request-id"])["upstream_status"] for answer in answers
    ]


def test_replica_that_goes_while_it_is_tried_loses_no_request_that_it_has_not_got(
    production_stack: PortalStack,
) -> None:
    """Nginx gives a request up whose replica it has forgotten when its connection fails."""
    seen = set[str]()
    for _ in range(20):  # it may forget the replica before or after all of the requests
        seen.update(statuses_without_replica(production_stack))
        if {"504 : 200", "504 : 405"} <= seen:
            return
    raise AssertionError(f"some should be sent again (got {seen})")


def test_limits_change_by_a_reload_and_hold(
    client: httpx.Client, production_stack: PortalStack, given: Settings
) -> None:
    nginx = production_stack.container("nginx").id
    limits = {**given["nginx"], "requests_per_second": 5, "burst": 5}
    production_stack.configure(**given | {"nginx": limits})
    # The images' labels are its own as well, and it is the newest: it is not the stack's nginx.
    stranger = production_stack.client.containers.run(
        production_stack.image_id("nginx"), ["300"], entrypoint="sleep", detach=True
    )
    try:
        production_stack.up()
    finally:
        stranger.remove(force=True)
    answers = [client.get("/livez") for _ in range(40)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers} == {200, 429}
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
    assert headers_of(refused[0]) == SECURITY_HEADERS
    assert production_stack.container("nginx").id == nginx


def test_http3_answers_when_it_is_asked_for(
    client: httpx.Client, production_stack: PortalStack, given: Settings
) -> None:
    port = production_stack.settings["ports"]["https"]
    assert "alt-svc" not in client.get("/livez").headers
    production_stack.configure(**given | {"nginx": {**given["nginx"], "http3": True}})
    production_stack.up()
    told = client.get("/livez").headers["alt-svc"]
    authority = production_stack.output("ca_certificate")
    answer = asyncio.run(get_over_http3(port, DOMAIN, authority, "/livez"))
    assert told == f'h3=":{port}"; ma=86400'
    assert answer[":status"] == "200"
    assert {
        name: value for name, value in answer.items() if name in SECURITY_HEADERS
    } == SECURITY_HEADERS
