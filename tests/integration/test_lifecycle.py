"""A development stack from nothing to nothing, on a real engine."""

import socket
from collections.abc import Callable
from functools import partial
from typing import Any

import docker
import httpx
import pytest

from benchmarks.harness.machine import labelled_stacks
from benchmarks.harness.portal_stack import PortalStack, PulumiFailed
from infra.naming import ROLE_LABEL
from tests.support.harm import (
    make_container_unhealthy,
    pause_container,
    remove_all_but_data,
    write_secret_file,
)
from tests.support.restarts import wait_until_healthy
from tests.support.waiting import wait_until_ok


@pytest.fixture(scope="module")
def stack(empty_stack: PortalStack) -> PortalStack:
    """A stack of this module's own: it is changed, harmed and destroyed here."""
    # So that the engine soon sees what is done to them.
    empty_stack.configure(health={"interval_seconds": 5, "retries": 1})
    empty_stack.up()
    return empty_stack


def test_up_returns_when_everything_is_healthy(stack: PortalStack) -> None:
    """By each container's own check: the engine's next probe may be some seconds away."""
    codes = {
        container.labels[ROLE_LABEL]: container.exec_run(["healthcheck"]).exit_code
        for container in stack.containers()
    }
    assert codes == dict.fromkeys(["postgres", "redis", "app", "adminer", "redis-commander"], 0)


def test_two_stacks_answer_side_by_side(stack: PortalStack, running_stack: PortalStack) -> None:
    urls = {stack.output("health_url"), running_stack.output("health_url")}
    assert len(urls) == 2
    for url in urls:
        wait_until_ok(partial(httpx.get, url))


def test_second_up_and_refresh_change_nothing(stack: PortalStack) -> None:
    assert set(stack.up()) == {"same"}
    assert stack.find_drift() == {}


def test_limits_are_changed_without_a_restart(stack: PortalStack) -> None:
    before = {c.name: c.attrs["State"]["StartedAt"] for c in stack.containers()}
    stack.configure(app={**stack.settings["app"], "memory_mb": 600}, pids_limit=300)
    assert stack.preview() == stack.up()
    after = stack.containers()
    assert {c.name: c.attrs["State"]["StartedAt"] for c in after} == before
    assert {c.attrs["HostConfig"]["PidsLimit"] for c in after} == {300}
    assert stack.container("app").attrs["HostConfig"]["Memory"] == 600 << 20


def test_all_but_data_that_is_removed_is_seen_by_refresh_and_made_again_by_up(
    stack: PortalStack,
) -> None:
    expected = remove_all_but_data(stack)
    assert stack.find_drift() == expected
    stack.up()
    assert stack.find_drift() == {}
    wait_until_ok(partial(httpx.get, stack.output("health_url")))


def test_sick_containers_are_in_the_plan_without_a_refresh_and_mended_by_up(
    stack: PortalStack,
) -> None:
    before = {container.id for container in stack.containers()}
    harmed = dict(harm(stack) for harm in (pause_container, make_container_unhealthy))
    logged = stack.log.stat().st_size
    assert stack.preview(diff=True)["update"] == 2
    shown = stack.log.read_bytes()[logged:].decode()
    assert [state for state in harmed.values() if f'"{state}"' in shown] == ["paused", "unhealthy"]
    assert stack.up()["update"] == 2
    assert {container.id for container in stack.containers()} == before
    for role in harmed:
        assert stack.container(role).exec_run(["healthcheck"]).exit_code == 0
    assert set(stack.preview(refresh=True)) == {"same"}


@pytest.mark.parametrize("store", ["redis", "postgres"])
def test_paused_store_leaves_the_portal_healthy_and_is_told_by_health(
    stack: PortalStack, store: str
) -> None:
    stack.container(store).pause()
    try:
        probe = stack.container("app").exec_run(["healthcheck"])
        told = httpx.get(stack.output("health_url"))
    finally:
        stack.container(store).unpause()
    assert probe.exit_code == 0
    assert told.status_code == 503
    found = told.json()["dependencies"]
    assert {name for name, it in found.items() if it["status"] != "ok"} == {store}


def test_container_that_stays_sick_fails_the_up(stack: PortalStack) -> None:
    given = stack.settings["health"]
    stack.configure(health={**given, "wait_seconds": 5})
    users = stack.run_in("redis", "cat", "/run/secrets/users.acl")
    sick = users.replace("user health on", "user health off")
    write_secret_file(stack, "redis", "users.acl", sick)
    stack.container("redis").restart()
    with pytest.raises(PulumiFailed) as caught:
        stack.up()
    name = f"devportal-{stack.name}-redis"
    assert f"container '{name}': should become healthy (got: " in str(caught.value)
    assert " after 5 s). Its last lines:" in str(caught.value)
    stack.configure(health=given)
    stack.refresh()
    stack.up()
    assert stack.container("redis").exec_run(["healthcheck"]).exit_code == 0


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (
            lambda stack, taken: {"portal": taken.getsockname()[1]},
            "ports.portal: should be free on 127.0.0.1 (got ",
        ),
        (
            lambda stack, taken: {"portal": stack.published("adminer")[1]},
            "ports.portal: should be free on 127.0.0.1 (got ",
        ),
        (
            lambda stack, taken: {"bind_address": "192.0.2.1"},
            "ports.bind_address: should be an address of the engine's ",
        ),
    ],
    ids=["taken by a process", "taken by another role", "of another machine"],
)
def test_port_that_cannot_be_had_is_named_before_its_container_is_deleted(
    stack: PortalStack, change: Callable[[PortalStack, socket.socket], dict[str, Any]], where: str
) -> None:
    before, given = {c.id for c in stack.containers()}, stack.settings["ports"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        stack.configure(ports={**given, **change(stack, taken)})
        with pytest.raises(PulumiFailed) as caught:
            stack.up()
    assert f"devportal:{where}" in str(caught.value)
    assert "Traceback" not in str(caught.value)
    stack.configure(ports=given)
    assert {c.id for c in stack.containers()} == before
    wait_until_ok(partial(httpx.get, stack.output("health_url")))


def test_chosen_port_outlives_a_restart_of_its_container(stack: PortalStack) -> None:
    before, url = stack.published("app"), stack.output("portal_url")
    stack.container("app").restart()
    wait_until_healthy(stack, 60)
    assert stack.published("app") == before
    assert set(stack.preview(refresh=True)) == {"same"}
    assert (stack.output("portal_url"), url) == (url, "http://{}:{}".format(*before))


def test_data_outlives_the_replacement_of_its_container_which_the_plan_tells(
    stack: PortalStack,
) -> None:
    stack.query("create table kept (word text)")
    stack.query("insert into kept values ('still here')")
    before = stack.container("postgres").id
    stack.configure(postgres={"max_connections": 60})
    planned = stack.preview()
    assert planned == stack.up()
    # The new container gets its process limit.
    assert (planned["replace"], planned["update"]) == (1, 1)
    assert stack.container("postgres").id != before
    assert stack.query("select word from kept").strip() == "still here"


def test_data_outlives_the_loss_of_its_passwords(stack: PortalStack) -> None:
    before = stack.run_in("adminer", "cat", "/run/secrets/app_password")
    secrets = [
        resource["urn"]
        for resource in stack.export()
        if resource["type"].endswith("GeneratedSecret")
    ]
    stack.up(replace=secrets)
    assert stack.run_in("adminer", "cat", "/run/secrets/app_password") != before
    assert stack.query("select word from kept").strip() == "still here"
    wait_until_ok(partial(httpx.get, stack.output("health_url")))


def test_destroy_leaves_nothing_and_other_stacks_alone(
    stack: PortalStack, running_stack: PortalStack, engine: docker.DockerClient
) -> None:
    stack.destroy()
    assert stack.name not in labelled_stacks(engine)
    assert len(running_stack.containers()) == 5
    wait_until_ok(partial(httpx.get, running_stack.output("health_url")))
