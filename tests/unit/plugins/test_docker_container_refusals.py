"""What the engine refuses, told to the user; and nothing is left behind."""

from typing import Any

import grpc
import pytest

from plugins.docker.engine import EngineError, EngineSilentError, Json
from tests.support.container_engine import IMAGE, ContainerEngine
from tests.support.provider_client import (
    CONTAINER,
    InitFailedError,
    ProviderClient,
    message_of,
)


def create(client: ProviderClient, **inputs: Any) -> Any:
    return client.create(CONTAINER, "web", {"image": IMAGE, "name": "web", **inputs})


def create_failing(client: ProviderClient, **inputs: Any) -> str:
    with pytest.raises((grpc.RpcError, InitFailedError)) as caught:
        create(client, **inputs)
    return message_of(caught.value)


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
            "Error starting userland proxy: listen tcp4 127.0.0.1:8000: "
            "bind: address already in use",
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
