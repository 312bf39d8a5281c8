"""A development stack from nothing to nothing, on a real engine."""

from collections.abc import Callable

import docker
import httpx
import pytest
from pulumi import automation

from tests.support.log_lines import wait_for
from tests.support.machine import labelled_stacks
from tests.support.portal_stack import PortalStack


@pytest.fixture(scope="module")
def running_stack(empty_stack: PortalStack) -> PortalStack:
    """A stack of this module's own: it is changed, harmed and destroyed here."""
    empty_stack.up()
    return empty_stack


def test_up_returns_when_everything_is_healthy(running_stack: PortalStack) -> None:
    states = {
        c.labels["devportal.role"]: c.attrs["State"]["Health"]["Status"]
        for c in running_stack.containers()
    }
    assert states == dict.fromkeys(
        ["postgres", "redis", "app", "adminer", "redis-commander"], "healthy"
    )


def test_portal_answers_health_and_documentation(running_stack: PortalStack) -> None:
    assert httpx.get(running_stack.output("health_url")).status_code == 200
    assert httpx.get(running_stack.output("docs_url")).status_code == 200


def test_second_up_changes_nothing(running_stack: PortalStack) -> None:
    assert set(running_stack.up()) == {"same"}


def test_refresh_finds_no_change(running_stack: PortalStack) -> None:
    assert set(running_stack.refresh()) == {"same"}
    assert set(running_stack.preview()) == {"same"}


def test_preview_tells_what_up_then_does(running_stack: PortalStack) -> None:
    running_stack.configure(redis={"max_memory_mb": 128})
    planned = running_stack.preview()
    assert planned == running_stack.up()
    # The new container gets its process limit.
    assert (planned["replace"], planned["update"]) == (1, 1)


def test_memory_is_changed_without_a_restart(running_stack: PortalStack) -> None:
    before = running_stack.container("app").attrs["State"]["StartedAt"]
    running_stack.configure(app={**running_stack.settings["app"], "memory_mb": 600})
    assert running_stack.up()["update"] == 1
    after = running_stack.container("app").attrs
    assert (after["State"]["StartedAt"], after["HostConfig"]["Memory"]) == (before, 600 << 20)


def test_process_limit_is_changed_without_a_restart(running_stack: PortalStack) -> None:
    before = {c.name: c.attrs["State"]["StartedAt"] for c in running_stack.containers()}
    running_stack.configure(pids_limit=300)
    assert running_stack.preview() == running_stack.up()
    after = running_stack.containers()
    assert {c.name: c.attrs["State"]["StartedAt"] for c in after} == before
    assert {c.attrs["HostConfig"]["PidsLimit"] for c in after} == {300}


def remove_container(stack: PortalStack) -> None:
    stack.container("adminer").remove(force=True)


def stop_container(stack: PortalStack) -> None:
    stack.container("redis-commander").stop(timeout=1)


def change_container(stack: PortalStack) -> None:
    stack.container("adminer").update(mem_limit="100m", memswap_limit="100m")


def change_process_limit(stack: PortalStack) -> None:
    api = stack.client.api
    url = f"{api.base_url}/v{api.api_version}/containers/{stack.container('redis').id}/update"
    api.post(url, json={"PidsLimit": 999}).raise_for_status()


def remove_network(stack: PortalStack) -> None:
    for container in stack.containers():
        container.remove(force=True)
    stack.client.networks.get(stack.output("network")).remove()


def remove_secrets_volume(stack: PortalStack) -> None:
    stack.container("app").remove(force=True)
    stack.client.volumes.get(f"devportal-{stack.name}-app-secrets").remove()


def change_secret_file(stack: PortalStack) -> None:
    write_secret_file(stack, "redis-commander", "redis_password", "changed")


def write_secret_file(stack: PortalStack, role: str, name: str, text: str) -> None:
    """Write over one of a container's secret files, as nothing of the program would."""
    stack.client.containers.run(
        # An image that declares no volume: `remove` would leave it behind.
        stack.image_id("app"),
        ["sh", "-c", 'printf %s "$1" > "/files/$0"', name, text],
        entrypoint="",
        user="0:0",
        remove=True,
        volumes={f"devportal-{stack.name}-{role}-secrets": {"bind": "/files"}},
    )


def remove_image(stack: PortalStack) -> None:
    image = stack.image_id("adminer")
    stack.container("adminer").remove(force=True)
    stack.client.images.remove(image, force=True)


@pytest.mark.parametrize(
    "harm",
    [
        remove_container,
        stop_container,
        change_container,
        change_process_limit,
        remove_network,
        remove_secrets_volume,
        change_secret_file,
        remove_image,
    ],
)
def test_drift_is_seen_by_refresh_and_repaired_by_up(
    running_stack: PortalStack, harm: Callable[[PortalStack], None]
) -> None:
    harm(running_stack)
    assert set(running_stack.refresh()) - {"same"}
    assert set(running_stack.up()) - {"same"}
    assert set(running_stack.refresh()) == {"same"}
    assert httpx.get(running_stack.output("health_url")).status_code == 200


def pause_container(stack: PortalStack) -> str:
    stack.container("redis").pause()
    return "paused"


def make_container_unhealthy(stack: PortalStack) -> str:
    """Its health check fails until Redis reads its users again."""
    password = stack.run_in("redis-commander", "cat", "/run/secrets/redis_password")
    login = ("--user", "devtools", "--pass", password, "--no-auth-warning")
    stack.run_in("redis", "redis-cli", *login, "acl", "setuser", "health", "off")
    wait_for(lambda: health(stack, "redis") == "unhealthy")
    return "unhealthy"


def health(stack: PortalStack, role: str) -> str:
    return stack.container(role).attrs["State"]["Health"]["Status"]


@pytest.mark.parametrize("harm", [pause_container, make_container_unhealthy])
def test_sick_container_is_in_the_plan_without_a_refresh_and_mended_by_up(
    running_stack: PortalStack, harm: Callable[[PortalStack], str]
) -> None:
    before = running_stack.container("redis").id
    state = harm(running_stack)
    logged = running_stack.log.stat().st_size
    assert running_stack.preview(diff=True)["update"] == 1
    assert f'"{state}"' in running_stack.log.read_bytes()[logged:].decode()
    assert running_stack.up()["update"] == 1
    redis = running_stack.container("redis")
    assert (redis.id, redis.status) == (before, "running")
    assert redis.exec_run(["healthcheck"]).exit_code == 0
    assert set(running_stack.preview()) == {"same"}


def test_container_that_stays_sick_fails_the_up(running_stack: PortalStack) -> None:
    given = running_stack.settings["health"]
    running_stack.configure(health={**given, "wait_seconds": 5})
    users = running_stack.run_in("redis", "cat", "/run/secrets/users.acl")
    sick = users.replace("user health on", "user health off")
    write_secret_file(running_stack, "redis", "users.acl", sick)
    running_stack.container("redis").restart()
    with pytest.raises(automation.CommandError) as caught:
        running_stack.up()
    name = f"devportal-{running_stack.name}-redis"
    assert f"container '{name}': should become healthy (got: " in str(caught.value)
    assert " after 5 s). Its last lines:" in str(caught.value)
    running_stack.configure(health=given)
    running_stack.refresh()
    running_stack.up()
    assert health(running_stack, "redis") == "healthy"


def test_data_outlives_the_replacement_of_its_container(running_stack: PortalStack) -> None:
    running_stack.query("create table kept (word text)")
    running_stack.query("insert into kept values ('still here')")
    before = running_stack.container("postgres").id
    running_stack.configure(postgres={"max_connections": 60})
    running_stack.up()
    assert running_stack.container("postgres").id != before
    assert running_stack.query("select word from kept").strip() == "still here"


def test_data_outlives_the_loss_of_its_passwords(running_stack: PortalStack) -> None:
    before = running_stack.run_in("adminer", "cat", "/run/secrets/app_password")
    secrets = [
        resource["urn"]
        for resource in running_stack.export()
        if resource["type"].endswith("GeneratedSecret")
    ]
    running_stack.up(replace=secrets)
    assert running_stack.run_in("adminer", "cat", "/run/secrets/app_password") != before
    assert running_stack.query("select word from kept").strip() == "still here"
    assert httpx.get(running_stack.output("health_url")).status_code == 200


def test_destroy_leaves_nothing(running_stack: PortalStack, engine: docker.DockerClient) -> None:
    running_stack.destroy()
    assert running_stack.name not in labelled_stacks(engine)
