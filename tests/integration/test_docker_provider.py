"""The docker provider's process on a real engine, spoken to as Pulumi's engine does."""

from collections.abc import Iterator

import docker
import pytest
from docker.errors import NotFound

from tests.support.provided_stack import ProvidedStack, healthy_if, provided_stack
from tests.support.provider_client import (
    CONTAINER,
    NETWORK,
    VOLUME,
    Object,
)

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def module_stack(engine: docker.DockerClient) -> Iterator[ProvidedStack]:
    with provided_stack(engine, "provider") as stack:
        yield stack


@pytest.fixture
def stack(module_stack: ProvidedStack) -> Iterator[ProvidedStack]:
    yield module_stack
    module_stack.remove_made()


@pytest.fixture
def network(stack: ProvidedStack) -> Object:
    made = stack.client.create(NETWORK, f"{stack.name}-net", {"labels": stack.labels})
    stack.made.append(made)
    return made


def test_everything_a_container_may_have_is_accepted_and_stable(
    stack: ProvidedStack, network: Object
) -> None:
    volume = stack.client.create(VOLUME, f"{stack.name}-vol", {"labels": stack.labels})
    stack.made.append(volume)
    rich = {
        "networkMode": "bridge",
        "networksAdvanced": [{"name": network.state["name"], "aliases": ["web", "shop"]}],
        "ports": [{"internal": 80, "ip": "127.0.0.1"}, {"internal": 53, "protocol": "udp"}],
        "mounts": [
            {"type": "volume", "source": volume.id, "target": "/data"},
            {"type": "tmpfs", "target": "/scratch", "tmpfsOptions": {"sizeBytes": MEGABYTE}},
            {"type": "bind", "source": "/etc", "target": "/host", "readOnly": True},
        ],
        "volumes": [{"containerPath": "/more"}],
        "tmpfs": {"/tmp": "size=1m,mode=1777"},
        "readOnly": True,
        "capabilities": {"drops": ["ALL"], "adds": ["NET_BIND_SERVICE"]},
        "securityOpts": ["no-new-privileges:true"],
        "user": "1000:1000",
        "envs": ["A=1", "B=two words"],
        "workingDir": "/tmp",
        "hostname": "web",
        "hosts": [{"host": "db", "ip": "10.0.0.9"}],
        "dns": ["127.0.0.1"],
        "sysctls": {"net.core.somaxconn": "256"},
        "ulimits": [{"name": "nofile", "soft": 1024, "hard": 2048}],
        "memory": 64,
        "cpus": "0.50",
        "cpuShares": 512,
        "shmSize": 8,
        "init": True,
        "logDriver": "json-file",
        "logOpts": {"max-size": "1m"},
        "stopSignal": "SIGTERM",
        "stopTimeout": 5,
        "healthcheck": {**healthy_if("/bin/cat"), "timeout": "60s", "startPeriod": "1s"},
        "wait": True,
        "restart": "unless-stopped",
        "destroyGraceSeconds": 5,
    }
    container = stack.create(**rich)

    assert list(stack.client.diff(container, stack.program(**rich)).detailedDiff) == []
    found = stack.client.read(container)
    assert (found.outputs, found.inputs) == (container.outputs, container.inputs)
    assert [data["networkName"] for data in container.state["networkDatas"]] == [
        network.state["name"]
    ]
    aliases = stack.engine.api.inspect_container(container.id)["NetworkSettings"]["Networks"]
    assert {"web", "shop"} <= set(aliases[network.state["name"]]["Aliases"])
    assert all(port["external"] for port in container.state["ports"])


def test_limits_and_restart_policy_change_on_the_running_container(stack: ProvidedStack) -> None:
    container = stack.create(memory=64)
    started = stack.engine.api.inspect_container(container.id)["State"]["StartedAt"]
    changed = stack.program(
        memory=96, memoryReservation=32, cpuShares=256, cpuSet="0", restart="unless-stopped"
    )

    assert list(stack.client.diff(container, changed).replaces) == []
    updated = stack.client.update(container, changed)

    found = stack.engine.api.inspect_container(container.id)
    host = found["HostConfig"]
    assert found["State"]["StartedAt"] == started
    assert (host["Memory"], host["MemorySwap"]) == (96 * MEGABYTE, 192 * MEGABYTE)
    assert (host["CpuShares"], host["CpusetCpus"]) == (256, "0")
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert list(stack.client.diff(updated, changed).detailedDiff) == []


def test_every_kind_of_drift_is_seen(stack: ProvidedStack) -> None:
    limits = {"name": f"{stack.name}-drift", "memory": 64, "memorySwap": 64}
    container = stack.create(**limits)
    stack.engine.containers.get(container.id).update(
        mem_limit="32m", restart_policy={"Name": "always"}
    )
    stack.engine.containers.get(container.id).rename(f"{stack.name}-renamed")
    stack.engine.containers.get(container.id).stop(timeout=0)

    found = stack.client.read(container)
    changes = set(stack.client.diff(found, stack.program(**limits)).detailedDiff)
    assert changes == {"memory", "restart", "name", "mustRun"}


def test_stopped_container_is_started_again(stack: ProvidedStack) -> None:
    container = stack.create()
    stack.engine.containers.get(container.id).stop(timeout=0)
    updated = stack.client.update(stack.client.read(container), stack.program())
    assert stack.engine.containers.get(container.id).status == "running"
    assert list(stack.client.diff(updated, stack.program()).detailedDiff) == []


def test_removed_objects_are_gone_on_refresh(stack: ProvidedStack) -> None:
    objects = [
        stack.client.create(CONTAINER, f"{stack.name}-gone", stack.program()),
        stack.client.create(NETWORK, f"{stack.name}-gone", {"labels": stack.labels}),
        stack.client.create(VOLUME, f"{stack.name}-gone", {"labels": stack.labels}),
    ]
    stack.engine.containers.get(objects[0].id).remove(force=True)
    stack.engine.networks.get(objects[1].id).remove()
    stack.engine.volumes.get(objects[2].id).remove()
    assert [stack.client.read(item).id for item in objects] == ["", "", ""]
    for item in objects:
        stack.client.delete(item)


def test_import_of_each_kind_plans_no_replacement_of_what_it_can_read(stack: ProvidedStack) -> None:
    for token, inputs in (
        (NETWORK, {"labels": stack.labels, "internal": True}),
        (VOLUME, {"labels": stack.labels}),
        (CONTAINER, stack.program(memory=64, restart="always", readOnly=True)),
    ):
        item = stack.client.create(token, f"{stack.name}-import", inputs)
        stack.made.append(item)
        found = stack.client.import_(token, f"{stack.name}-import", item.id)
        replaced = set(stack.client.diff(found, {**inputs, "name": item.state["name"]}).replaces)
        assert replaced <= {"labels"} if token == CONTAINER else replaced == set()


def test_grace_time_lets_the_process_end_by_itself(stack: ProvidedStack) -> None:
    command = [
        "/bin/sh",
        "-c",
        "trap 'echo bye > /d/said; exit 0' TERM; while :; do sleep 0.1; done",
    ]
    volume = stack.client.create(VOLUME, f"{stack.name}-grace", {"labels": stack.labels})
    mounts = [{"type": "volume", "source": volume.id, "target": "/d"}]
    container = stack.client.create(
        CONTAINER,
        f"{stack.name}-grace",
        stack.program(command=command, mounts=mounts, destroyGraceSeconds=20),
    )
    stack.client.delete(container)
    reader = stack.program(
        command=["/bin/cat", "/d/said"], mounts=mounts, attach=True, logs=True, mustRun=False
    )
    said = stack.client.create(CONTAINER, f"{stack.name}-reader", reader)
    assert said.state["containerLogs"] == "bye\n"
    assert said.state["exitCode"] == 0
    stack.client.delete(said)
    stack.client.delete(volume)


def test_uploads_are_in_the_container_before_it_starts(stack: ProvidedStack) -> None:
    said = stack.create(
        command=["/bin/cat", "/etc/shop/config"],
        uploads=[{"file": "/etc/shop/config", "content": "colour=red", "permissions": "0400"}],
        attach=True,
        logs=True,
        mustRun=False,
    )
    assert said.state["containerLogs"] == "colour=red"


def test_network_and_volume_in_use_are_removed_after_their_container(stack: ProvidedStack) -> None:
    network = stack.client.create(NETWORK, f"{stack.name}-used", {"labels": stack.labels})
    volume = stack.client.create(VOLUME, f"{stack.name}-used", {"labels": stack.labels})
    container = stack.client.create(
        CONTAINER,
        f"{stack.name}-user",
        stack.program(
            networkMode="bridge",
            networksAdvanced=[{"name": network.id}],
            mounts=[{"type": "volume", "source": volume.id, "target": "/d"}],
        ),
    )
    for item in (container, network, volume):
        stack.client.delete(item)
    for find, item in ((stack.engine.networks.get, network), (stack.engine.volumes.get, volume)):
        with pytest.raises(NotFound):
            find(item.id)
