"""Reading, updating and removing a container on a fake engine."""

from typing import Any

import grpc
import pytest

from plugins.docker.engine import EngineError
from plugins.docker.values import decode
from tests.support.container_engine import IMAGE, MEGABYTE, ContainerEngine
from tests.support.provider_client import (
    CONTAINER,
    InitFailedError,
    Object,
    ProviderClient,
    message_of,
)

PROGRAM = {"image": IMAGE, "name": "web"}


@pytest.fixture
def made(client: ProviderClient, engine: ContainerEngine) -> Object:
    made = client.create(CONTAINER, "web", {**PROGRAM, "memory": 64, "memorySwap": 64})
    engine.calls.clear()
    engine.bodies.clear()
    return made


def with_limits(**more: Any) -> dict[str, Any]:
    return {**PROGRAM, "memory": 64, "memorySwap": 64, **more}


@pytest.mark.parametrize(
    ("change", "body"),
    [
        ({"memory": 32}, {"Memory": 32 * MEGABYTE, "MemorySwap": 64 * MEGABYTE}),
        ({"memorySwap": -1}, {"Memory": 64 * MEGABYTE, "MemorySwap": -1}),
        (
            {"memoryReservation": 16},
            {
                "Memory": 64 * MEGABYTE,
                "MemorySwap": 64 * MEGABYTE,
                "MemoryReservation": 16 * MEGABYTE,
            },
        ),
        ({"cpuShares": 512}, {"CpuShares": 512}),
        ({"cpuSet": "0"}, {"CpusetCpus": "0"}),
        ({"restart": "always"}, {"RestartPolicy": {"Name": "always", "MaximumRetryCount": 0}}),
        (
            {"restart": "on-failure", "maxRetryCount": 4},
            {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 4}},
        ),
    ],
)
def test_limit_is_changed_on_the_running_container(
    client: ProviderClient, engine: ContainerEngine, made: Object, change: Any, body: Any
) -> None:
    updated = client.update(made, with_limits(**change))
    assert engine.calls == ["update web"]
    assert engine.bodies == [body]
    assert {key: updated.state[key] for key in change} == change


def test_memory_without_a_swap_limit_is_updated_with_twice_as_much_swap(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    made = client.create(CONTAINER, "web", {**PROGRAM, "memory": 64})
    client.update(made, {**PROGRAM, "memory": 128})
    assert engine.bodies[-1] == {"Memory": 128 * MEGABYTE, "MemorySwap": 256 * MEGABYTE}


def test_setting_of_pulumis_own_needs_no_call(
    client: ProviderClient, engine: ContainerEngine, made: Object
) -> None:
    updated = client.update(made, with_limits(destroyGraceSeconds=9, removeVolumes=False))
    assert engine.calls == []
    assert updated.state["destroyGraceSeconds"] == 9


def test_stopped_container_is_seen_and_started_again(
    client: ProviderClient, engine: ContainerEngine, made: Object
) -> None:
    engine.stop_container(made.id, 0)
    engine.calls.clear()

    found = client.read(made)
    assert found.state["mustRun"] is False
    assert found.state["exitCode"] == 137
    assert list(client.diff(found, with_limits()).detailedDiff) == ["mustRun"]

    client.update(found, with_limits())
    assert engine.calls == ["start web"]


def test_container_that_need_not_run_is_left_alone(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    made = client.create(CONTAINER, "web", {**PROGRAM, "mustRun": False})
    engine.stop_container(made.id, 0)
    found = client.read(made)
    assert list(client.diff(found, {**PROGRAM, "mustRun": False}).detailedDiff) == []


def test_read_of_an_untouched_container_changes_nothing(
    client: ProviderClient, made: Object
) -> None:
    found = client.read(made)
    assert found.outputs == made.outputs
    assert found.inputs == made.inputs


def test_limit_changed_by_hand_is_seen(
    client: ProviderClient, engine: ContainerEngine, made: Object
) -> None:
    engine.containers[made.id]["HostConfig"]["Memory"] = 32 * MEGABYTE
    found = client.read(made)
    assert found.state["memory"] == 32
    assert decode(found.inputs).values["memory"] == 32
    assert list(client.diff(found, with_limits()).detailedDiff) == ["memory"]


def test_missing_container_is_gone(
    client: ProviderClient, engine: ContainerEngine, made: Object
) -> None:
    engine.containers.clear()
    assert client.read(made).id == ""


def test_other_container_found_under_a_part_of_the_id_is_not_ours(
    client: ProviderClient, engine: ContainerEngine, made: Object
) -> None:
    engine.containers["abc"] = engine.containers[made.id]
    part = Object(CONTAINER, "web", "abc", made.inputs, made.outputs)
    assert client.read(part).id == ""
    client.delete(part)
    assert engine.calls == []


def test_import_finds_what_the_engine_knows(client: ProviderClient, made: Object) -> None:
    found = client.import_(CONTAINER, "web", made.id)
    assert found.id == made.id
    inputs = decode(found.inputs).values
    assert {key: inputs[key] for key in ("name", "image", "memory", "memorySwap")} == {
        "name": "web",
        "image": IMAGE,
        "memory": 64,
        "memorySwap": 64,
    }
    assert "envs" not in inputs
    assert "labels" not in inputs


def test_empty_update_after_a_failed_creation_looks_at_the_health_again(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    program = {**PROGRAM, "healthcheck": {"tests": ["CMD", "a"]}, "wait": True, "waitTimeout": 1}
    made = client.create(CONTAINER, "web", program)
    engine.containers[made.id]["State"]["Health"] = {"Status": "unhealthy"}
    with pytest.raises(InitFailedError) as caught:
        client.update(made, program)
    assert str(caught.value) == (
        "container 'web': should become healthy within 1 s (got: unhealthy). It wrote no log."
    )


def test_refused_update_is_told(
    client: ProviderClient, engine: ContainerEngine, made: Object
) -> None:
    engine.failures["update"] = EngineError(409, "limit below usage")
    with pytest.raises(grpc.RpcError) as caught:
        client.update(made, with_limits(memory=32))
    assert (
        message_of(caught.value) == "container 'web': cannot be updated (got: limit below usage)."
    )


@pytest.mark.parametrize(
    ("program", "calls"),
    [
        ({}, ["stop web 0", "remove web with volumes"]),
        ({"destroyGraceSeconds": 30}, ["stop web 30", "remove web with volumes"]),
        ({"removeVolumes": False}, ["stop web 0", "remove web without volumes"]),
        ({"attach": True, "start": False}, ["remove web with volumes"]),
    ],
)
def test_container_is_stopped_and_removed_as_its_state_says(
    client: ProviderClient, engine: ContainerEngine, program: Any, calls: list[str]
) -> None:
    made = client.create(CONTAINER, "web", {**PROGRAM, **program})
    engine.calls.clear()
    client.delete(made)
    assert engine.calls == calls
    assert engine.containers == {}


def test_removing_a_missing_container_succeeds(
    client: ProviderClient, engine: ContainerEngine, made: Object
) -> None:
    engine.containers.clear()
    client.delete(made)
    assert engine.calls == []


def test_container_that_removes_itself_meanwhile_is_no_failure(
    client: ProviderClient, engine: ContainerEngine, made: Object
) -> None:
    engine.failures["remove"] = EngineError(409, "removal of container web is already in progress")
    looks = iter(range(3))

    def vanish(container: Any) -> None:
        if next(looks) == 2:
            engine.containers.clear()

    engine.on_look = vanish
    client.delete(made)


def test_refused_removal_is_told(
    client: ProviderClient, engine: ContainerEngine, made: Object
) -> None:
    engine.failures["stop"] = EngineError(500, "cannot kill")
    with pytest.raises(grpc.RpcError) as caught:
        client.delete(made)
    assert message_of(caught.value) == "container 'web': cannot be removed (got: cannot kill)."
