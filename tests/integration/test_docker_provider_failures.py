"""What the docker provider's process says when something goes wrong on a real engine."""

import contextlib
import signal
import socket
from collections.abc import Iterator
from typing import Any

import docker
import grpc
import pytest

from plugins.docker.values import decode
from tests.support.provided_stack import ProvidedStack, healthy_if, provided_stack
from tests.support.provider_client import (
    CONTAINER,
    NETWORK,
    InitFailedError,
    Object,
    message_of,
    provider_process,
)


@pytest.fixture(scope="module")
def module_stack(engine: docker.DockerClient) -> Iterator[ProvidedStack]:
    with provided_stack(engine, "failures") as stack:
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


def test_taken_port_is_told_with_its_user_and_no_container_left(
    stack: ProvidedStack, network: Object
) -> None:
    networks = [{"name": network.state["name"]}]
    first = stack.create(
        networkMode="bridge",
        networksAdvanced=networks,
        ports=[{"internal": 80, "ip": "127.0.0.1"}],
    )
    port = first.state["ports"][0]["external"]
    before = stack.container_names()
    taken = {"internal": 80, "external": port, "ip": "127.0.0.1"}
    with pytest.raises(grpc.RpcError) as caught:
        stack.client.create(
            CONTAINER,
            f"{stack.name}-second",
            stack.program(
                name=f"{stack.name}-second",
                networkMode="bridge",
                networksAdvanced=networks,
                ports=[taken],
            ),
        )
    assert message_of(caught.value) == (
        f"container '{stack.name}-second': port 127.0.0.1:{port} should be free "
        f"(taken by container '{first.state['name']}'). Set another port or stop its user."
    )
    assert stack.container_names() == before


def test_port_of_a_program_on_the_host_is_told(stack: ProvidedStack, network: Object) -> None:
    before = stack.container_names()
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(grpc.RpcError) as caught:
            stack.client.create(
                CONTAINER,
                f"{stack.name}-second",
                stack.program(
                    name=f"{stack.name}-second",
                    networkMode="bridge",
                    networksAdvanced=[{"name": network.state["name"]}],
                    ports=[{"internal": 80, "external": port, "ip": "127.0.0.1"}],
                ),
            )
    assert message_of(caught.value) == (
        f"container '{stack.name}-second': port 127.0.0.1:{port} should be free "
        "(taken by another program). Set another port or stop its user."
    )
    assert stack.container_names() == before


def test_taken_name_is_told(stack: ProvidedStack) -> None:
    first = stack.create()
    with pytest.raises(grpc.RpcError) as caught:
        stack.client.create(CONTAINER, "second", stack.program(name=first.state["name"]))
    assert message_of(caught.value) == (
        f"container '{first.state['name']}': its name should be free "
        f"(taken by container {first.id[:12]}). "
        "Remove that container, import it, or choose another name."
    )


def test_missing_command_is_told_and_no_container_left(stack: ProvidedStack) -> None:
    before = stack.container_names()
    with pytest.raises(grpc.RpcError) as caught:
        stack.client.create(
            CONTAINER, "x", stack.program(name=f"{stack.name}-x", command=["serve"])
        )
    assert message_of(caught.value) == (
        f"container '{stack.name}-x': its command should exist in the image "
        '(got: exec: "serve": executable file not found in $PATH). '
        "Correct command or entrypoints."
    )
    assert stack.container_names() == before


def test_container_that_exits_at_its_start_fails_at_once_with_its_log(stack: ProvidedStack) -> None:
    command = ["/bin/sh", "-c", "echo no database; exit 3"]
    with pytest.raises(InitFailedError) as caught:
        stack.create(
            name=f"{stack.name}-exits",
            command=command,
            healthcheck=healthy_if("/bin/cat"),
            wait=True,
            waitTimeout=600,
        )
    stack.made.append(caught.value.left)
    assert str(caught.value) == (
        f"container '{stack.name}-exits': should become healthy (got: it exited with code 3). "
        "Last log lines:\n  no database"
    )


def test_container_that_exits_again_and_again_fails_before_its_time(stack: ProvidedStack) -> None:
    with pytest.raises(InitFailedError) as caught:
        stack.create(
            name=f"{stack.name}-loops",
            command=["/bin/sh", "-c", "exit 4"],
            healthcheck=healthy_if("/bin/cat"),
            restart="always",
            wait=True,
            waitTimeout=600,
        )
    stack.made.append(caught.value.left)
    assert "times, last with code 4). It wrote no log." in str(caught.value)


def test_container_that_stays_sick_fails_with_its_last_probe_and_is_kept(
    stack: ProvidedStack,
) -> None:
    sick = stack.program(
        name=f"{stack.name}-sick", healthcheck=healthy_if("/no/such"), wait=True, waitTimeout=2
    )
    with pytest.raises(InitFailedError) as caught:
        stack.client.create(CONTAINER, "sick", sick)
    left = caught.value.left
    stack.made.append(left)
    assert str(caught.value) == (
        f"container '{stack.name}-sick': should become healthy within 2 s (got: unhealthy). "
        "Last probe: exit 1: /bin/cat: /no/such: No such file or directory. It wrote no log."
    )
    assert stack.engine.containers.get(left.id).status == "running"
    with pytest.raises(InitFailedError):
        stack.client.update(left, sick)


def test_secret_is_given_to_the_container_and_shown_nowhere(stack: ProvidedStack) -> None:
    secret = stack.program(
        name=f"{stack.name}-secret",
        envs=["TOKEN=hidden-value"],
        command=["/bin/sh", "-c", "echo token is $TOKEN; exit 1"],
        healthcheck=healthy_if("/bin/cat"),
        wait=True,
    )
    with pytest.raises(InitFailedError) as caught:
        stack.client.create(CONTAINER, "secret", secret, secrets=("envs",))
    stack.made.append(caught.value.left)
    assert str(caught.value).endswith("Last log lines:\n  token is [secret]")
    assert decode(caught.value.left.outputs).secret_names == {"envs"}


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
