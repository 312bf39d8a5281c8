"""A container that is waited for: until it is healthy, has ended, or never will."""

from typing import Any

import grpc
import pytest

from plugins.docker.engine import Json
from plugins.docker.provider import Provider
from plugins.docker.values import decode
from tests.support.container_engine import IMAGE, ContainerEngine
from tests.support.provider_client import (
    CONTAINER,
    InitFailedError,
    KeptLog,
    ProviderClient,
    message_of,
)

HEALTHCHECK = {"tests": ["CMD", "check"], "interval": "1s"}
WAITING = {"healthcheck": HEALTHCHECK, "wait": True}
BEYOND_THE_FIRST = 5


def create(client: ProviderClient, **inputs: Any) -> Any:
    return client.create(CONTAINER, "web", {"image": IMAGE, "name": "web", **inputs})


def create_failing(client: ProviderClient, **inputs: Any) -> str:
    with pytest.raises((grpc.RpcError, InitFailedError)) as caught:
        create(client, **inputs)
    return message_of(caught.value)


def test_wait_without_any_health_check_is_told_before_anything_is_made(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    assert create_failing(client, wait=True) == (
        "container 'web': wait needs a health check (got none, neither here nor in the image). "
        "Add healthcheck, or remove wait."
    )
    assert engine.calls == []


def test_wait_accepts_the_health_check_of_the_image(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    engine.images[IMAGE]["Config"] = {"Healthcheck": {"Test": ["CMD", "a"]}}
    engine.on_look = becoming("healthy")
    create(client, wait=True)
    assert engine.calls == ["create web", "start web"]


def test_create_waits_until_the_container_is_healthy(
    client: ProviderClient, engine: ContainerEngine, log: KeptLog
) -> None:
    engine.on_look = becoming("starting", "unhealthy", "healthy")
    create(client, **WAITING)
    assert log.lines == [
        "waiting for health, starting.",
        "waiting for health, unhealthy. Last probe: exit 1: no answer.",
        "healthy",
    ]


def test_container_that_stays_sick_is_kept_with_the_reason(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    engine.on_look = becoming("unhealthy")
    engine.logs = "starting\nno database"
    with pytest.raises(InitFailedError) as caught:
        create(client, **WAITING, waitTimeout=1)
    assert str(caught.value) == (
        "container 'web': should become healthy within 1 s (got: unhealthy). "
        "Last probe: exit 1: no answer. Last log lines:\n  starting\n  no database"
    )
    assert caught.value.left.id in engine.containers
    assert caught.value.left.state["name"] == "web"


def test_container_that_exits_ends_the_wait_with_its_last_log_lines(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    engine.on_look = exited(3)
    engine.logs = "\n".join(f"line {number}" for number in range(20))
    with pytest.raises(InitFailedError) as caught:
        create(client, **WAITING, waitTimeout=600)
    last = "\n".join(f"  line {number}" for number in range(10, 20))
    assert str(caught.value) == (
        "container 'web': should become healthy (got: it exited with code 3). "
        f"Last log lines:\n{last}"
    )
    assert caught.value.left.state["exitCode"] == 3


def test_container_that_exits_again_and_again_ends_the_wait(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    def restart(container: Json) -> None:
        container["RestartCount"] += 1
        container["State"] |= {"Health": {"Status": "starting"}, "ExitCode": 2}

    engine.on_look = restart
    with pytest.raises(InitFailedError) as caught:
        create(client, **WAITING, restart="always", waitTimeout=600)
    assert str(caught.value) == (
        f"container 'web': should become healthy (got: it exited {BEYOND_THE_FIRST} times, "
        "last with code 2). It wrote no log."
    )


def test_cancelled_wait_keeps_the_container_and_ends(
    client: ProviderClient, engine: ContainerEngine, provider: Provider
) -> None:
    def cancel(container: Json) -> None:
        container["State"]["Health"] = {"Status": "starting"}
        provider.cancel()

    engine.on_look = cancel
    with pytest.raises(InitFailedError) as caught:
        create(client, **WAITING, waitTimeout=600)
    assert caught.value.left.id in engine.containers
    assert str(caught.value) == (
        "container 'web': the wait for it was cancelled. It is left as it is."
    )


def test_attached_container_gives_its_output_and_exit_code(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    engine.on_look = exited(4)
    engine.logs = "done"
    made = create(client, attach=True, logs=True, mustRun=False)
    assert made.state["exitCode"] == 4
    assert made.state["mustRun"] is False


def test_secret_input_stays_secret_in_state_and_out_of_messages(
    client: ProviderClient, engine: ContainerEngine, log: KeptLog
) -> None:
    inputs = {"image": IMAGE, "name": "web", "envs": ["TOKEN=hidden-value"], **WAITING}
    engine.on_look = becoming("unhealthy", output="refused token hidden-value")
    engine.logs = "token was hidden-value"
    with pytest.raises(InitFailedError) as caught:
        client.create(CONTAINER, "web", {**inputs, "waitTimeout": 1}, secrets=("envs",))
    left = caught.value.left
    assert decode(left.outputs).secret_names == {"envs"}
    assert decode(left.inputs).secret_names == {"envs"}
    assert "hidden-value" not in str(caught.value)
    assert "hidden-value" not in "".join(log.lines)
    assert "refused token [secret]" in str(caught.value)


def becoming(*states: str, output: str = "no answer") -> Any:
    """Health that moves on with each look at a running container."""
    left = list(states)

    def look(container: Json) -> None:
        if not container["State"]["Running"]:
            return
        status = left.pop(0) if len(left) > 1 else left[0]
        probes = [{"ExitCode": 1, "Output": output}] if status == "unhealthy" else []
        container["State"]["Health"] = {"Status": status, "Log": probes}

    return look


def exited(code: int) -> Any:
    def look(container: Json) -> None:
        container["State"] = {"Status": "exited", "Running": False, "ExitCode": code}

    return look
