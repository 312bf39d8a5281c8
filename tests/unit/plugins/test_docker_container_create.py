"""Creating a container on a fake engine: what is asked for, and what is left when it fails."""

import io
import tarfile
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from plugins.docker.engine import EngineError, EngineSilentError, Json
from plugins.docker.provider import Connection, Provider
from plugins.docker.servicer import DockerServicer
from plugins.docker.values import decode
from tests.support.container_engine import IMAGE, ContainerEngine
from tests.support.provider_client import (
    CONTAINER,
    InitFailedError,
    KeptLog,
    ProviderClient,
    message_of,
    served,
)

HEALTHCHECK = {"tests": ["CMD", "check"], "interval": "1s"}
WAITING = {"healthcheck": HEALTHCHECK, "wait": True}
BEYOND_THE_FIRST = 5


@pytest.fixture
def engine() -> ContainerEngine:
    return ContainerEngine()


@pytest.fixture
def log() -> KeptLog:
    return KeptLog()


@pytest.fixture
def provider(engine: ContainerEngine, log: KeptLog) -> Provider:
    return Provider(log, connect=lambda settings: Connection(engine))


@pytest.fixture
def client(provider: Provider) -> Iterator[ProviderClient]:
    with served(DockerServicer(provider)) as client:
        yield client


def create(client: ProviderClient, **inputs: Any) -> Any:
    return client.create(CONTAINER, "web", {"image": IMAGE, "name": "web", **inputs})


def create_failing(client: ProviderClient, **inputs: Any) -> str:
    with pytest.raises((grpc.RpcError, InitFailedError)) as caught:
        create(client, **inputs)
    return message_of(caught.value)


def asked_for(client: ProviderClient, engine: ContainerEngine, **inputs: Any) -> Json:
    create(client, **inputs)
    return engine.bodies[0]


def add_network(engine: ContainerEngine, name: str) -> str:
    return engine.create_network({"Name": name})


def test_container_is_created_and_started(client: ProviderClient, engine: ContainerEngine) -> None:
    made = create(client)
    assert engine.calls == ["create web", "start web"]
    assert made.id in engine.containers


def test_container_that_should_not_start_is_only_created(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    made = create(client, start=False)
    assert engine.calls == ["create web"]
    assert made.state["mustRun"] is True


def test_start_interval_is_left_out_with_a_warning_on_an_old_engine(
    client: ProviderClient, engine: ContainerEngine, log: KeptLog
) -> None:
    body = asked_for(client, engine, healthcheck={**HEALTHCHECK, "startInterval": "2s"})
    assert "StartInterval" not in body["Healthcheck"]
    assert log.lines == [
        "warning: container 'web': healthcheck.startInterval is left out; "
        "the engine's API has it from version 1.44 on (got 1.41)"
    ]


def test_start_interval_reaches_a_new_engine(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    engine.api_version = (1, 44)
    body = asked_for(client, engine, healthcheck={**HEALTHCHECK, "startInterval": "2s"})
    assert body["Healthcheck"]["StartInterval"] == 2 * 10**9


def test_container_is_created_in_its_first_network_and_joins_the_others(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    for name in ("front", "back"):
        add_network(engine, name)
    engine.calls.clear()
    engine.bodies.clear()
    front = {
        "name": "front",
        "aliases": ["web"],
        "ipv4Address": "172.18.0.9",
        "driverOpts": ["a=b"],
    }

    made = create(client, networksAdvanced=[front, {"name": "back"}])

    assert engine.calls == ["create web", "connect web back", "start web"]
    assert engine.bodies[0]["HostConfig"]["NetworkMode"] == "front"
    assert engine.bodies[0]["NetworkingConfig"] == {
        "EndpointsConfig": {
            "front": {
                "Aliases": ["web"],
                "IPAMConfig": {"IPv4Address": "172.18.0.9"},
                "DriverOpts": {"a": "b"},
            }
        }
    }
    assert made.state["networkMode"] == "bridge"
    assert [data["networkName"] for data in made.state["networkDatas"]] == ["back", "front"]


def test_network_may_be_named_by_its_id(client: ProviderClient, engine: ContainerEngine) -> None:
    network_id = add_network(engine, "front")
    create(client, networksAdvanced=[{"name": network_id}])
    assert list(engine.bodies[1]["NetworkingConfig"]["EndpointsConfig"]) == ["front"]


def test_network_mode_of_the_users_own_stays_and_networks_are_joined(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    add_network(engine, "front")
    create(client, networkMode="none", networksAdvanced=[{"name": "front"}])
    assert engine.bodies[1]["HostConfig"]["NetworkMode"] == "none"
    assert "connect web front" in engine.calls


def test_mac_address_is_given_the_way_an_old_engine_wants_it(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    add_network(engine, "front")
    create(client, networksAdvanced=[{"name": "front", "macAddress": "02:00:00:00:00:01"}])
    assert engine.bodies[1]["MacAddress"] == "02:00:00:00:00:01"


def test_missing_network_is_told_before_anything_is_made(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    assert create_failing(client, networksAdvanced=[{"name": "gone"}]) == (
        "container 'web': network 'gone' should exist (got: not found). "
        "Create it first, and pass its name from that resource."
    )
    assert engine.calls == []


def test_missing_image_that_only_has_an_id_is_told(client: ProviderClient) -> None:
    assert create_failing(client, image="sha256:abc") == (
        "container 'web': image 'sha256:abc' should be on the engine or in its registry "
        "(got: not found). Build or pull it first, or correct its name."
    )


def test_uploads_are_packed_with_their_modes_and_owners(
    client: ProviderClient, engine: ContainerEngine, tmp_path: Any
) -> None:
    (tmp_path / "source").write_bytes(b"from a file")
    create(
        client,
        uploads=[
            {"file": "/a", "content": "text", "permissions": "0600", "owner": "70", "group": "71"},
            {"file": "/b", "contentBase64": "AAE=", "executable": True},
            {"file": "/c", "source": str(tmp_path / "source")},
        ],
    )
    assert engine.calls == ["create web", "upload web", "start web"]
    with tarfile.open(fileobj=io.BytesIO(engine.uploads[0])) as archive:
        files = {
            member.name: (member.mode, member.uid, member.gid, read(archive, member))
            for member in archive
        }
    assert files == {
        "/a": (0o600, 70, 71, b"text"),
        "/b": (0o744, 0, 0, b"\x00\x01"),
        "/c": (0o644, 0, 0, b"from a file"),
    }


def read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    content = archive.extractfile(member)
    return content.read() if content else b""


def test_missing_upload_source_leaves_no_container(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    assert create_failing(client, uploads=[{"file": "/a", "source": "/no/such"}]) == (
        "container 'web': uploads[0].source: should be a readable file "
        "(got: no such file or directory: /no/such). Correct the path."
    )
    assert engine.containers == {}


def test_port_of_another_container_is_told_and_no_container_left(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    create(client, name="first", ports=[{"internal": 80, "external": 8000, "ip": "127.0.0.1"}])
    engine.failures["start"] = EngineError(
        500,
        "driver failed programming external connectivity on endpoint web (0a): "
        "Bind for 127.0.0.1:8000 failed: port is already allocated",
    )
    assert create_failing(client, ports=[{"internal": 80, "external": 8000}]) == (
        "container 'web': port 127.0.0.1:8000 should be free (taken by container 'first'). "
        "Set another port or stop its user."
    )
    assert [container["Name"] for container in engine.containers.values()] == ["/first"]


@pytest.mark.parametrize(
    ("step", "status", "said", "told"),
    [
        (
            "start",
            500,
            "Error starting userland proxy: listen tcp4 127.0.0.1:8000: bind: address already in use",
            "container 'web': port 127.0.0.1:8000 should be free (taken by another program). "
            "Set another port or stop its user.",
        ),
        (
            "start",
            500,
            "failed to bind host port for 0.0.0.0:443:172.18.0.2:443/tcp: address already in use",
            "container 'web': port 0.0.0.0:443 should be free (taken by another program). "
            "Set another port or stop its user.",
        ),
        (
            "start",
            403,
            "Address already in use",
            "container 'web': cannot be started (got: Address already in use).",
        ),
        (
            "create",
            409,
            'Conflict. The container name "/web" is already in use by container '
            '"0123456789abcdef". You have to remove (or rename) that container.',
            "container 'web': its name should be free (taken by container 0123456789ab). "
            "Remove that container, import it, or choose another name.",
        ),
        (
            "create",
            500,
            "mkdir /var/lib/docker/x: no space left on device",
            "container 'web': the engine's disk should have space (got: no space left on device). "
            "Free some with 'docker system df' and 'docker image prune', then try again.",
        ),
        (
            "create",
            400,
            'invalid mount config for type "bind": bind source path does not exist: /no/such',
            "container 'web': the source of a bind mount should exist on the engine's machine "
            "(got: /no/such). Create it, or correct mounts.",
        ),
        (
            "start",
            400,
            'OCI runtime create failed: unable to start container process: exec: "serve": '
            "executable file not found in $PATH: unknown",
            "container 'web': its command should exist in the image "
            '(got: exec: "serve": executable file not found in $PATH). '
            "Correct command or entrypoints.",
        ),
        (
            "start",
            500,
            "failed to initialize logging driver: dial tcp: refused",
            "container 'web': the engine should accept its logging "
            "(got: failed to initialize logging driver: dial tcp: refused). "
            "Correct logDriver or logOpts.",
        ),
        ("start", 500, "odd", "container 'web': cannot be started (got: odd)."),
    ],
)
def test_refusal_of_the_engine_is_told_and_no_container_left(
    client: ProviderClient, engine: ContainerEngine, step: str, status: int, said: str, told: str
) -> None:
    engine.failures[step] = EngineError(status, said)
    assert create_failing(client) == told
    assert engine.containers == {}


def test_engine_that_falls_silent_is_told(client: ProviderClient, engine: ContainerEngine) -> None:
    def fall_silent(name: str) -> Json:
        raise EngineSilentError("docker engine at unix:///x: should answer (got: refused)")

    engine.inspect_image = fall_silent
    assert create_failing(client) == "docker engine at unix:///x: should answer (got: refused)"


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
    assert str(caught.value) == "cancelled"


def test_attached_container_gives_its_output_and_exit_code(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    engine.on_look = exited(4)
    engine.logs = "done"
    made = create(client, attach=True, logs=True, mustRun=False)
    assert made.state["exitCode"] == 4
    assert made.state["mustRun"] is False


def test_free_port_is_read_back(client: ProviderClient) -> None:
    made = create(client, ports=[{"internal": 80, "ip": "127.0.0.1"}])
    assert made.state["ports"] == [
        {"internal": 80, "ip": "127.0.0.1", "protocol": "tcp", "external": 49153}
    ]


def test_preview_touches_nothing_and_leaves_outputs_unknown(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    outputs = client.preview(CONTAINER, "web", {"image": IMAGE, "name": "web"}).values
    assert engine.calls == []
    assert outputs["image"] == IMAGE
    assert repr(outputs["networkDatas"]) == "UNKNOWN"
    assert "__defaults" not in outputs


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
