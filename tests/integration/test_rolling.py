"""Updates of a production stack under load: nothing is lost, and a bad one changes nothing."""

import asyncio
from collections.abc import Iterator
from copy import copy
from functools import partial
from pathlib import Path

import docker
import httpx
import pytest

from benchmarks.harness.load import Load
from benchmarks.harness.portal_stack import PortalStack, PulumiFailed
from benchmarks.harness.probe_image import ORDERS_TABLE, build_probe, build_silent
from benchmarks.harness.production import DOMAIN, portal_client, production_settings, trust
from benchmarks.rolling import compare_orders, send_orders
from tests.support.long_requests import send_until, upload_until
from tests.support.make import succeed
from tests.support.updates import (
    copy_restricted,
    is_drained,
    names,
    refused_update,
    write_refused_migration,
)
from tests.support.waiting import wait_until_ok

# Without one the load takes the processors, and each update twice the time.
PAUSE_SECONDS = 0.02
FORGED = (
    "X-Request-ID",
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Proto",
    "X-Forwarded-Scheme",
    "X-Forwarded-Server",
    "X-Original-URL",
    "X-Real-IP",
    "X-Rewrite-URL",
    "True-Client-IP",
)


@pytest.fixture(scope="module")
def stack(
    engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PortalStack]:
    settings = {**production_settings(), "app": {"version": "1"}}
    made = PortalStack(tmp_path_factory.mktemp("rolling"), engine, settings=settings)
    made.up()
    yield made
    made.remove()


@pytest.fixture
def load(stack: PortalStack) -> Iterator[Load]:
    """Load from before the test to after it, of which nothing is lost."""
    port = stack.settings["ports"]["https"]
    with Load(port, trust(stack), pause_seconds=PAUSE_SECONDS) as running:
        yield running
    assert running.failures == {}
    assert running.answered > 100


@pytest.mark.usefixtures("load")
def test_new_version_replaces_every_replica_and_loses_no_request(stack: PortalStack) -> None:
    before, nginx = names(stack), stack.container("nginx").id
    stack.configure(app={"version": "2"})
    changes = stack.up()
    # Two replicas, their image, and the migrations, which run once for it.
    assert changes["replace"] == 4
    assert len(names(stack)) == 2
    assert names(stack).isdisjoint(before)
    assert stack.container("nginx").id == nginx
    environments = [c.attrs["Config"]["Env"] for c in stack.containers("app")]
    assert all("APP_VERSION=2" in environment for environment in environments)


@pytest.mark.usefixtures("load")
def test_rollback_and_the_way_forward_lose_no_request(stack: PortalStack) -> None:
    newest = stack.image_id("app")
    assert f"rollback: stack {stack.name} runs 1 (" in succeed(stack, "rollback")
    assert stack.image_id("app") != newest
    succeed(stack, "rollback", ARGS="--forward")
    assert stack.image_id("app") == newest


@pytest.mark.usefixtures("load")
def test_replicas_are_added_and_taken_away_without_a_lost_request(stack: PortalStack) -> None:
    before = names(stack)
    stack.configure(app={"version": "2", "replicas": 4, "max_surge": 4})
    stack.up()
    assert len(names(stack)) == 4
    assert before < names(stack)
    stack.configure(app={"version": "2"})
    stack.up()
    assert names(stack) == before


@pytest.mark.usefixtures("load")
def test_image_that_never_gets_healthy_leaves_the_old_replicas_serving(
    stack: PortalStack,
) -> None:
    before = names(stack)
    silent = {"image": build_silent(stack)}
    with refused_update(stack, app=silent, health={"wait_seconds": 5}) as said:
        assert f"container 'devportal-{stack.name}-app-1-" in said
        assert "should become healthy (got: starting after 5 s). Its last lines:" in said
        assert "runs and never responds" in said
        # Another attempt in vain leaves no more than this one.
        stack.configure(app={**stack.settings["app"], "drain_seconds": 11})
        with pytest.raises(PulumiFailed):
            stack.up()
        failed = [c for c in stack.containers("app") if c.name not in before]
        assert [container.status for container in failed] == ["exited"]


@pytest.mark.usefixtures("load")
def test_migration_that_fails_leaves_the_old_replicas_serving_and_is_not_retried(
    stack: PortalStack,
) -> None:
    before = names(stack)
    head = stack.query("select version_num from alembic_version").strip()
    migration = write_refused_migration(stack.project, head)
    with refused_update(stack) as said:
        name = f"devportal-{stack.name}-migrations"
        assert f"container '{name}': should become finished (got: exited with code 1)." in said
        assert "division by zero" in said
        assert names(stack) == before
        job = stack.container("migrations").attrs
        assert (job["State"]["Status"], job["RestartCount"]) == ("exited", 0)
        assert job["HostConfig"]["RestartPolicy"]["Name"] == "no"
        migration.unlink()
    assert stack.query("select version_num from alembic_version").strip() == head


@pytest.mark.usefixtures("load")
def test_configuration_that_nginx_refuses_does_not_go_live(stack: PortalStack) -> None:
    with refused_update(stack, nginx={"extra_configuration": "retrun 204;"}) as said:
        assert (
            "nginx configuration: should pass `nginx -t` (got: unknown directive "
            '"retrun" in extra.conf:1). Correct it: extra.conf is '
            "devportal:nginx.extra_configuration, the rest is in docker/nginx. "
            "Nginx goes on as before."
        ) in said
        assert "Traceback" not in said
    with portal_client(stack) as client:
        wait_until_ok(partial(client.get, "/health"))


@pytest.fixture(scope="module")
def probe(stack: PortalStack) -> PortalStack:
    """The stack with the probe's second version in the portal's place; the first is there."""
    _, image = [build_probe(stack, version) for version in ("1", "2")]
    stack.configure(app={"version": "2", "image": image})
    stack.up()
    return stack


def test_headers_that_a_client_forges_do_not_reach_the_portal(probe: PortalStack) -> None:
    port = probe.settings["ports"]["https"]
    with httpx.Client(verify=trust(probe)) as caller:
        answer = caller.get(
            f"https://127.0.0.1:{port}",
            headers={**dict.fromkeys(FORGED, "203.0.113.9"), "Host": f"evil.example:{port}"},
            # The name in the request's line is what counts, whatever `Host` says.
            extensions={
                "target": f"https://{DOMAIN}/probe/forwarded".encode(),
                "sni_hostname": DOMAIN,
            },
        )
    received = dict(line.split(": ", 1) for line in answer.text.splitlines())
    client = received["x-forwarded-for"]
    assert client != "203.0.113.9"
    own = {"accept", "accept-encoding", "user-agent"}
    assert {name: value for name, value in received.items() if name not in own} == {
        "host": f"{DOMAIN}:{port}",
        "x-request-id": answer.headers["x-request-id"],
        "x-forwarded-for": client,
        "x-real-ip": client,
        "x-forwarded-proto": "https",
        "x-forwarded-host": f"{DOMAIN}:{port}",
    }


def test_long_requests_streams_and_writes_survive_going_back_to_an_earlier_version(
    probe: PortalStack,
) -> None:
    async def go_back() -> tuple[int, dict[str, int]]:
        update = asyncio.create_task(asyncio.to_thread(probe.up))
        begun = await send_until(update, probe.settings["ports"]["https"], trust(probe))
        return begun, update.result()

    before = names(probe)
    probe.query(ORDERS_TABLE)
    probe.configure(app={"version": "1", "image": f"devportal-{probe.name}-probe:1"})
    logged = probe.log.stat().st_size
    port = probe.settings["ports"]["https"]
    with Load(
        port,
        trust(probe),
        connections=4,
        fresh_every=2,
        requests=send_orders,
        pause_seconds=PAUSE_SECONDS,
    ) as load:
        begun, changes = asyncio.run(go_back())
    assert begun >= 4
    assert (load.failures, compare_orders(probe, load.accepted)) == ({}, (0, 0))
    assert len(load.accepted) > 100
    assert changes["replace"] == 4
    assert names(probe).isdisjoint(before)
    # Nothing is built on the way back.
    assert "exporting to image" not in probe.log.read_bytes()[logged:].decode()


def test_request_that_takes_long_to_arrive_is_answered_in_spite_of_an_update(
    stack: PortalStack,
) -> None:
    async def upload_during_update() -> bytes:
        update = asyncio.create_task(asyncio.to_thread(stack.up))
        port = stack.settings["ports"]["https"]
        status = await upload_until(lambda: is_drained(stack, old_peers), port, trust(stack))
        await update
        return status

    old_peers = names(stack)
    stack.configure(app={"version": "3"})
    assert asyncio.run(upload_during_update()) == b"HTTP/1.1 405 Method Not Allowed\r\n"


def test_clone_of_another_umask_changes_nothing_and_its_images_start(
    stack: PortalStack, tmp_path: Path
) -> None:
    clone = copy_restricted(stack, tmp_path / "clone")
    there = copy(stack)
    there.project = clone
    assert set(there.preview()) == {"same"}
    settings = clone / f"Pulumi.{stack.name}.yaml"
    version = stack.settings["app"]["version"]
    settings.write_text(settings.read_text().replace(f'"version": "{version}"', '"version": "9"'))
    there.up()
    assert len(names(stack)) == 2
