"""The docker provider's process on a real engine, spoken to as Pulumi's engine does."""

import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from typing import Any

import docker
import grpc
import pytest
from docker.errors import NotFound

from infra.naming import STACK_LABEL
from plugins.docker.values import decode
from tests.support.machine import TEST_STACK_PREFIX, remove_stack_objects
from tests.support.provider_client import (
    CONTAINER,
    NETWORK,
    VOLUME,
    InitFailedError,
    Object,
    ProviderClient,
    message_of,
    provider_process,
)
from tests.support.shell_image import shell_archive

STACK = f"{TEST_STACK_PREFIX}{os.getpid()}-provider"
IMAGE = f"{STACK}:1"
LABELS = [{"label": STACK_LABEL, "value": STACK}]
SLEEP = ["/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"]
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module", autouse=True)
def image(engine: docker.DockerClient) -> Iterator[None]:
    repository, tag = IMAGE.split(":")
    engine.api.import_image_from_data(
        shell_archive(), repository=repository, tag=tag, changes=[f"LABEL {STACK_LABEL}={STACK}"]
    )
    yield
    remove_stack_objects(engine, STACK)


@pytest.fixture(scope="module")
def client(engine: docker.DockerClient) -> Iterator[ProviderClient]:
    with provider_process() as (client, _):
        client.configure()
        yield client


@pytest.fixture(scope="module")
def network(client: ProviderClient) -> Iterator[Object]:
    network = client.create(NETWORK, f"{STACK}-net", {"labels": LABELS})
    yield network
    client.delete(network)


@pytest.fixture
def made(client: ProviderClient) -> Iterator[list[Object]]:
    """Objects that are removed after the test, the last one first."""
    objects: list[Object] = []
    yield objects
    for item in reversed(objects):
        client.delete(item)


def program(**more: Any) -> dict[str, Any]:
    return {"image": IMAGE, "labels": LABELS, "command": SLEEP, "networkMode": "none", **more}


def healthy_if(path: str) -> dict[str, Any]:
    return {"tests": ["CMD", "/bin/cat", path], "interval": "200ms", "retries": 1}


def create(client: ProviderClient, made: list[Object], **more: Any) -> Object:
    made.append(client.create(CONTAINER, f"{STACK}-web", program(**more)))
    return made[-1]


def names(client: docker.DockerClient) -> set[str]:
    found = client.containers.list(all=True, filters={"label": f"{STACK_LABEL}={STACK}"})
    return {container.name or "" for container in found}


def test_everything_a_container_may_have_is_accepted_and_stable(
    client: ProviderClient, engine: docker.DockerClient, network: Object, made: list[Object]
) -> None:
    volume = client.create(VOLUME, f"{STACK}-vol", {"labels": LABELS})
    made.append(volume)
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
    container = create(client, made, **rich)

    assert list(client.diff(container, program(**rich)).detailedDiff) == []
    found = client.read(container)
    assert (found.outputs, found.inputs) == (container.outputs, container.inputs)
    assert [data["networkName"] for data in container.state["networkDatas"]] == [
        network.state["name"]
    ]
    aliases = engine.api.inspect_container(container.id)["NetworkSettings"]["Networks"]
    assert {"web", "shop"} <= set(aliases[network.state["name"]]["Aliases"])
    assert all(port["external"] for port in container.state["ports"])


def test_limits_and_restart_policy_change_on_the_running_container(
    client: ProviderClient, engine: docker.DockerClient, made: list[Object]
) -> None:
    container = create(client, made, memory=64)
    started = engine.api.inspect_container(container.id)["State"]["StartedAt"]
    changed = program(
        memory=96, memoryReservation=32, cpuShares=256, cpuSet="0", restart="unless-stopped"
    )

    assert list(client.diff(container, changed).replaces) == []
    updated = client.update(container, changed)

    found = engine.api.inspect_container(container.id)
    host = found["HostConfig"]
    assert found["State"]["StartedAt"] == started
    assert (host["Memory"], host["MemorySwap"]) == (96 * MEGABYTE, 192 * MEGABYTE)
    assert (host["CpuShares"], host["CpusetCpus"]) == (256, "0")
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert list(client.diff(updated, changed).detailedDiff) == []


def test_every_kind_of_drift_is_seen(
    client: ProviderClient, engine: docker.DockerClient, made: list[Object]
) -> None:
    limits = {"name": f"{STACK}-drift", "memory": 64, "memorySwap": 64}
    container = create(client, made, **limits)
    engine.containers.get(container.id).update(mem_limit="32m", restart_policy={"Name": "always"})
    engine.containers.get(container.id).rename(f"{STACK}-renamed")
    engine.containers.get(container.id).stop(timeout=0)

    found = client.read(container)
    changes = set(client.diff(found, program(**limits)).detailedDiff)
    assert changes == {"memory", "restart", "name", "mustRun"}


def test_stopped_container_is_started_again(
    client: ProviderClient, engine: docker.DockerClient, made: list[Object]
) -> None:
    container = create(client, made)
    engine.containers.get(container.id).stop(timeout=0)
    updated = client.update(client.read(container), program())
    assert engine.containers.get(container.id).status == "running"
    assert list(client.diff(updated, program()).detailedDiff) == []


def test_removed_objects_are_gone_on_refresh(
    client: ProviderClient, engine: docker.DockerClient
) -> None:
    objects = [
        client.create(CONTAINER, f"{STACK}-gone", program()),
        client.create(NETWORK, f"{STACK}-gone", {"labels": LABELS}),
        client.create(VOLUME, f"{STACK}-gone", {"labels": LABELS}),
    ]
    engine.containers.get(objects[0].id).remove(force=True)
    engine.networks.get(objects[1].id).remove()
    engine.volumes.get(objects[2].id).remove()
    assert [client.read(item).id for item in objects] == ["", "", ""]
    for item in objects:
        client.delete(item)


def test_import_of_each_kind_plans_no_replacement_of_what_it_can_read(
    client: ProviderClient, made: list[Object]
) -> None:
    for token, inputs in (
        (NETWORK, {"labels": LABELS, "internal": True}),
        (VOLUME, {"labels": LABELS}),
        (CONTAINER, program(memory=64, restart="always", readOnly=True)),
    ):
        item = client.create(token, f"{STACK}-import", inputs)
        made.append(item)
        found = client.import_(token, f"{STACK}-import", item.id)
        replaced = set(client.diff(found, {**inputs, "name": item.state["name"]}).replaces)
        assert replaced <= {"labels"} if token == CONTAINER else replaced == set()


def test_grace_time_lets_the_process_end_by_itself(
    client: ProviderClient, engine: docker.DockerClient
) -> None:
    command = [
        "/bin/sh",
        "-c",
        "trap 'echo bye > /d/said; exit 0' TERM; while :; do sleep 0.1; done",
    ]
    volume = client.create(VOLUME, f"{STACK}-grace", {"labels": LABELS})
    mounts = [{"type": "volume", "source": volume.id, "target": "/d"}]
    container = client.create(
        CONTAINER,
        f"{STACK}-grace",
        program(command=command, mounts=mounts, destroyGraceSeconds=20),
    )
    client.delete(container)
    reader = program(
        command=["/bin/cat", "/d/said"], mounts=mounts, attach=True, logs=True, mustRun=False
    )
    said = client.create(CONTAINER, f"{STACK}-reader", reader)
    assert said.state["containerLogs"] == "bye\n"
    assert said.state["exitCode"] == 0
    client.delete(said)
    client.delete(volume)


def test_uploads_are_in_the_container_before_it_starts(
    client: ProviderClient, made: list[Object]
) -> None:
    said = create(
        client,
        made,
        command=["/bin/cat", "/etc/shop/config"],
        uploads=[{"file": "/etc/shop/config", "content": "colour=red", "permissions": "0400"}],
        attach=True,
        logs=True,
        mustRun=False,
    )
    assert said.state["containerLogs"] == "colour=red"


def test_taken_port_is_told_with_its_user_and_no_container_left(
    client: ProviderClient, engine: docker.DockerClient, network: Object, made: list[Object]
) -> None:
    networks = [{"name": network.state["name"]}]
    first = create(
        client,
        made,
        networkMode="bridge",
        networksAdvanced=networks,
        ports=[{"internal": 80, "ip": "127.0.0.1"}],
    )
    port = first.state["ports"][0]["external"]
    before = names(engine)
    taken = {"internal": 80, "external": port, "ip": "127.0.0.1"}
    with pytest.raises(grpc.RpcError) as caught:
        client.create(
            CONTAINER,
            f"{STACK}-second",
            program(
                name=f"{STACK}-second",
                networkMode="bridge",
                networksAdvanced=networks,
                ports=[taken],
            ),
        )
    assert message_of(caught.value) == (
        f"container '{STACK}-second': port 127.0.0.1:{port} should be free "
        f"(taken by container '{first.state['name']}'). Set another port or stop its user."
    )
    assert names(engine) == before


def test_port_of_a_program_on_the_host_is_told(
    client: ProviderClient, engine: docker.DockerClient, network: Object
) -> None:
    before = names(engine)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(grpc.RpcError) as caught:
            client.create(
                CONTAINER,
                f"{STACK}-second",
                program(
                    name=f"{STACK}-second",
                    networkMode="bridge",
                    networksAdvanced=[{"name": network.state["name"]}],
                    ports=[{"internal": 80, "external": port, "ip": "127.0.0.1"}],
                ),
            )
    assert message_of(caught.value) == (
        f"container '{STACK}-second': port 127.0.0.1:{port} should be free "
        "(taken by another program). Set another port or stop its user."
    )
    assert names(engine) == before


def test_taken_name_is_told(client: ProviderClient, made: list[Object]) -> None:
    first = create(client, made)
    with pytest.raises(grpc.RpcError) as caught:
        client.create(CONTAINER, "second", program(name=first.state["name"]))
    assert message_of(caught.value) == (
        f"container '{first.state['name']}': its name should be free "
        f"(taken by container {first.id[:12]}). "
        "Remove that container, import it, or choose another name."
    )


def test_missing_command_is_told_and_no_container_left(
    client: ProviderClient, engine: docker.DockerClient
) -> None:
    before = names(engine)
    with pytest.raises(grpc.RpcError) as caught:
        client.create(CONTAINER, "x", program(name=f"{STACK}-x", command=["serve"]))
    assert message_of(caught.value) == (
        f"container '{STACK}-x': its command should exist in the image "
        '(got: exec: "serve": executable file not found in $PATH). '
        "Correct command or entrypoints."
    )
    assert names(engine) == before


def test_container_that_exits_at_its_start_fails_at_once_with_its_log(
    client: ProviderClient, made: list[Object]
) -> None:
    command = ["/bin/sh", "-c", "echo no database; exit 3"]
    with pytest.raises(InitFailedError) as caught:
        create(
            client,
            made,
            name=f"{STACK}-exits",
            command=command,
            healthcheck=healthy_if("/bin/cat"),
            wait=True,
            waitTimeout=600,
        )
    made.append(caught.value.left)
    assert str(caught.value) == (
        f"container '{STACK}-exits': should become healthy (got: it exited with code 3). "
        "Last log lines:\n  no database"
    )


def test_container_that_exits_again_and_again_fails_before_its_time(
    client: ProviderClient, made: list[Object]
) -> None:
    with pytest.raises(InitFailedError) as caught:
        create(
            client,
            made,
            name=f"{STACK}-loops",
            command=["/bin/sh", "-c", "exit 4"],
            healthcheck=healthy_if("/bin/cat"),
            restart="always",
            wait=True,
            waitTimeout=600,
        )
    made.append(caught.value.left)
    assert "times, last with code 4). It wrote no log." in str(caught.value)


def test_container_that_stays_sick_fails_with_its_last_probe_and_is_kept(
    client: ProviderClient, engine: docker.DockerClient, made: list[Object]
) -> None:
    sick = program(
        name=f"{STACK}-sick", healthcheck=healthy_if("/no/such"), wait=True, waitTimeout=2
    )
    with pytest.raises(InitFailedError) as caught:
        client.create(CONTAINER, "sick", sick)
    left = caught.value.left
    made.append(left)
    assert str(caught.value) == (
        f"container '{STACK}-sick': should become healthy within 2 s (got: unhealthy). "
        "Last probe: exit 1: /bin/cat: /no/such: No such file or directory. It wrote no log."
    )
    assert engine.containers.get(left.id).status == "running"
    with pytest.raises(InitFailedError):
        client.update(left, sick)


def test_secret_is_given_to_the_container_and_shown_nowhere(
    client: ProviderClient, made: list[Object]
) -> None:
    secret = program(
        name=f"{STACK}-secret",
        envs=["TOKEN=hidden-value"],
        command=["/bin/sh", "-c", "echo token is $TOKEN; exit 1"],
        healthcheck=healthy_if("/bin/cat"),
        wait=True,
    )
    with pytest.raises(InitFailedError) as caught:
        client.create(CONTAINER, "secret", secret, secrets=("envs",))
    made.append(caught.value.left)
    assert str(caught.value).endswith("Last log lines:\n  token is [secret]")
    assert decode(caught.value.left.outputs).secret_names == {"envs"}


def test_network_and_volume_in_use_are_removed_after_their_container(
    client: ProviderClient, engine: docker.DockerClient
) -> None:
    network = client.create(NETWORK, f"{STACK}-used", {"labels": LABELS})
    volume = client.create(VOLUME, f"{STACK}-used", {"labels": LABELS})
    container = client.create(
        CONTAINER,
        f"{STACK}-user",
        program(
            networkMode="bridge",
            networksAdvanced=[{"name": network.id}],
            mounts=[{"type": "volume", "source": volume.id, "target": "/d"}],
        ),
    )
    for item in (container, network, volume):
        client.delete(item)
    for find, item in ((engine.networks.get, network), (engine.volumes.get, volume)):
        with pytest.raises(NotFound):
            find(item.id)


def test_silent_engine_is_told(tmp_path: Any) -> None:
    address = f"unix://{tmp_path}/docker.sock"
    with provider_process(DOCKER_HOST=address) as (client, _):
        with pytest.raises(grpc.RpcError) as caught:
            client.configure()
        assert message_of(caught.value) == (
            f"docker engine at {address}: should answer (got: no such file or directory). "
            "Start it, or set DOCKER_HOST or docker:host."
        )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_process_ends_quietly_when_told_to(number: signal.Signals) -> None:
    with provider_process() as (_, process):
        process.send_signal(number)
        assert process.wait() == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""
